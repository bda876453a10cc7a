/**
 * WebSockets. A request that was upgraded belongs to the runtime: its body can't be read, its answer
 * must be returned as it came, and whoever breaks that ends the whole server.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Context } from "hono";

const upgrades = new WeakMap<Request, Deno.WebSocketUpgrade>();

/**
 * Takes the request's connection over. Whatever the route and its middleware make of it afterwards,
 * the server gives the runtime what it has to get back: see {@link answerOfUpgrade}.
 *
 * @param protocol the subprotocol that the client must offer
 * @throws {Problem} `upgrade_required` where the request is no handshake for it
 */
export function upgradeWebSocket(request: Request, protocol: string): Deno.WebSocketUpgrade {
  const offered = (request.headers.get("Sec-WebSocket-Protocol") ?? "").split(",");
  if (!offered.some((name) => name.trim() === protocol)) throw noHandshake(protocol);
  // The runtime would upgrade a HEAD too, whose answer then has a body.
  if (request.method !== "GET") throw noHandshake(protocol);
  let upgrade: Deno.WebSocketUpgrade;
  try {
    upgrade = Deno.upgradeWebSocket(request, { protocol });
  } catch (error) {
    if (error instanceof TypeError) throw noHandshake(protocol);
    throw error;
  }
  upgrades.set(request, upgrade);
  return upgrade;
}

function noHandshake(protocol: string): Problem {
  return new Problem(
    "upgrade_required",
    `the request opens no WebSocket: a handshake as RFC 6455 describes it is expected, with the ` +
      `subprotocol ${protocol}`,
  );
}

/** The only answer that is right for this request; undefined unless it was upgraded. */
export function answerOfUpgrade(request: Request): Response | undefined {
  return upgrades.get(request)?.response;
}

/** The socket that this request's connection has become; undefined unless it was upgraded. */
export function socketOf(request: Request): WebSocket | undefined {
  return upgrades.get(request)?.socket;
}

/** Sets headers of an answer, whichever route or problem it came from; an upgrade's are not ours. */
export function setHeaders(c: Context, headers: Readonly<Record<string, string>>): void {
  if (answerOfUpgrade(c.req.raw) !== undefined) return;
  for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
}
