/**
 * Who may call, tokens apart: tools, this service's own pages, and pages whose origin is allowed;
 * no other page that somebody on this machine or network happens to visit.
 *
 * A page can make a browser send requests (forms, pictures, scripts, WebSockets), and under a name of
 * its own that it lets point here (DNS rebinding) it could read the answers, too. A browser says of
 * each request what no page can change: under which `Host` it calls, from which `Origin`, and how far
 * apart they are (`Sec-Fetch-Site`, Fetch Metadata). Tools say nothing but `Host`.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { CommonSettings } from "@fovea/process/settings";
import type { Context, MiddlewareHandler } from "hono";
import { setHeaders } from "./web_socket.ts";

export interface CallerRules extends Pick<CommonSettings, "ALLOWED_HOSTS" | "ALLOWED_ORIGINS"> {
  /** What the service was told to listen on: a name, if it is one, under which it may be called. */
  hostname: string;
}

/** Calls that change nothing, whoever makes them. */
const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses a call under a foreign name, and what a foreign page makes a browser send.
 *
 * @throws {Problem} `unknown_host`, `foreign_origin`
 */
export function callerGuard(rules: CallerRules): MiddlewareHandler {
  const names = new Set(["localhost", rules.hostname.toLowerCase(), ...rules.ALLOWED_HOSTS]);
  const origins = new Set(rules.ALLOWED_ORIGINS);
  return function guardCaller(c, next) {
    const host = hostOf(c);
    if (!isKnown(host, names)) throw unknownHost(host);
    const origin = c.req.header("Origin");
    if (origin === undefined || !origins.has(origin)) refuseForeign(c, host, origin);
    return next();
  };
}

/**
 * Lets no page of another origin use an answer, unless its origin is allowed: then it gets what a
 * browser needs (CORS), preflights included.
 */
export function crossOriginHeaders(
  { ALLOWED_ORIGINS }: Pick<CallerRules, "ALLOWED_ORIGINS">,
): MiddlewareHandler {
  const origins = new Set(ALLOWED_ORIGINS);
  return async function addCrossOriginHeaders(c, next) {
    const origin = c.req.header("Origin");
    await next();
    setHeaders(c, { "Cross-Origin-Resource-Policy": "same-origin" });
    if (origins.size === 0) return;
    const vary = c.res.headers.get("Vary");
    setHeaders(c, { "Vary": vary === null ? "Origin" : `${vary}, Origin` });
    if (origin === undefined || !origins.has(origin)) return;
    setHeaders(c, {
      "Access-Control-Allow-Origin": origin,
      "Access-Control-Expose-Headers": "*",
    });
    if (!isPreflight(c)) return;
    setHeaders(c, {
      "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      // A star would leave out Authorization.
      "Access-Control-Allow-Headers": c.req.header("Access-Control-Request-Headers") ?? "*",
      "Access-Control-Max-Age": "600",
    });
  };
}

function isPreflight(c: Context): boolean {
  return c.req.method === "OPTIONS" &&
    c.req.header("Access-Control-Request-Method") !== undefined;
}

/** With its port, as the client wrote it; HTTP/2 has it in the URL. */
function hostOf(c: Context): string {
  return c.req.header("Host") ?? new URL(c.req.url).host;
}

/** A name may be made to point anywhere; a number can't. */
function isKnown(host: string, names: ReadonlySet<string>): boolean {
  const url = URL.parse(`http://${host}`);
  // Also one with a path, a user or a query in it is no host.
  if (url === null || url.href !== `http://${url.host}/`) return false;
  const name = url.hostname.replace(/\.$/, "");
  return name.startsWith("[") || /^[\d.]+$/.test(name) || names.has(name) ||
    name.endsWith(".localhost");
}

function unknownHost(host: string): Problem {
  return new Problem(
    "unknown_host",
    `the service was called as "${host}": it answers as localhost, under its IP address, and under ` +
      "the names in ALLOWED_HOSTS: add the name there where it is yours",
  );
}

function refuseForeign(c: Context, host: string, origin: string | undefined): void {
  const site = c.req.header("Sec-Fetch-Site")?.toLowerCase();
  const isCrossSite = site === "cross-site";
  // A preflight asks whether it may call; the answer is that nothing allows it.
  if (isPreflight(c)) {
    if (isCrossSite || isForeign(origin, host)) throw foreignOrigin(origin);
    return;
  }
  const isRead = READS.has(c.req.method) && c.req.header("Sec-WebSocket-Key") === undefined &&
    c.req.header("Upgrade") === undefined;
  if (!isRead && (isCrossSite || isForeign(origin, host))) throw foreignOrigin(origin);
  // Who follows a link to here has left the other page.
  const isNavigation = c.req.header("Sec-Fetch-Mode") === "navigate" &&
    c.req.header("Sec-Fetch-Dest") === "document";
  if (isRead && isCrossSite && !isNavigation) throw foreignOrigin(origin);
}

/** Whether it is not the very origin that is called. The scheme may differ: TLS may end at a proxy. */
function isForeign(origin: string | undefined, host: string): boolean {
  if (origin === undefined) return false;
  const from = URL.parse(origin);
  return from === null || from.host === "" ||
    from.host !== URL.parse(`${from.protocol}//${host}`)?.host;
}

function foreignOrigin(origin: string | undefined): Problem {
  return new Problem(
    "foreign_origin",
    `a page of ${origin === undefined ? "another site" : `"${origin}"`} made this call: pages of ` +
      "this service itself may, and those whose origin is in ALLOWED_ORIGINS",
  );
}
