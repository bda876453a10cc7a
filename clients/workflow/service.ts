/**
 * One of the two services as a client reaches it: HTTP in, JSON out, every failure a
 * {@link Problem} that says what to do.
 *
 * @module
 */
import {
  connectionFailure,
  Problem,
  type ProblemCode,
  type ProblemDocument,
  PROBLEMS,
} from "@fovea/contract";
import { pause } from "./abort.ts";

/** Waits before the second and the third try of a call whose connection failed. */
const RETRY_AFTER_MS = [250, 1000];

export interface ServiceAddress {
  name: "media_store" | "inference";
  url: URL;
  /** Sent as bearer token. */
  token?: string | undefined;
}

export interface Call {
  method: "GET" | "POST";
  /** From the root, such as `/job/`. */
  path: string;
  /** A form is sent as multipart, anything else as JSON. */
  body?: FormData | object;
  /** Its reason is thrown as it is. */
  signal: AbortSignal;
  /** False: a first failed connection is the last. */
  retry?: boolean;
}

/**
 * Calls a service and reads its JSON. Failed connections are tried again a little, so every call has
 * to be safe to repeat.
 *
 * @throws {Problem} the service's own, with its name before the detail and `retry_after_s` from the
 * `Retry-After` header; `service_unreachable` where no Fovea service answers there
 */
export async function call<Answer>(
  service: ServiceAddress,
  request: Call,
): Promise<{ status: number; body: Answer }> {
  const { response, text } = await exchange(service, request);
  const body = parse(text);
  if (response.ok && body !== undefined) return { status: response.status, body: body as Answer };
  // A route that is missing is that of another service.
  if (isProblem(body) && body.code !== "route_not_found") throw problemOf(body, response, service);
  throw new Problem(
    "service_unreachable",
    `what answers at ${service.url.origin} is not ${service.name}: it met ${request.method} ` +
      `${request.path} with status ${response.status}: ${hint(service)}`,
  );
}

async function exchange(
  service: ServiceAddress,
  request: Call,
): Promise<{ response: Response; text: string }> {
  const waits = request.retry === false ? [] : [...RETRY_AFTER_MS];
  for (;;) {
    try {
      const response = await send(service, request);
      return { response, text: await response.text() };
    } catch (error) {
      request.signal.throwIfAborted();
      const wait = waits.shift();
      if (wait === undefined) throw unreachable(error, service);
      await pause(wait, request.signal);
    }
  }
}

function send(service: ServiceAddress, { method, path, body, signal }: Call): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (service.token !== undefined) headers.set("Authorization", `Bearer ${service.token}`);
  const init: RequestInit = { method, headers, signal };
  if (body instanceof FormData) {
    init.body = body;
  } else if (body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(body);
  }
  return fetch(new URL(path, service.url), init);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is ProblemDocument {
  const { code, detail } = (body ?? {}) as Partial<ProblemDocument>;
  return typeof code === "string" && Object.hasOwn(PROBLEMS, code) && typeof detail === "string";
}

function problemOf(document: ProblemDocument, response: Response, service: ServiceAddress) {
  const { type: _type, title: _title, status: _status, detail, code, ...members } = document;
  const seconds = Number(response.headers.get("Retry-After"));
  if (seconds > 0) members.retry_after_s = seconds;
  return new Problem(code, `${service.name}: ${detail}${tokenHint(code, service)}`, members);
}

function tokenHint(code: ProblemCode, service: ServiceAddress): string {
  if (code !== "unauthorized") return "";
  return service.token === undefined
    ? ": set FOVEA_TOKEN to a token for it"
    : ": see the token in FOVEA_TOKEN";
}

function unreachable(error: unknown, service: ServiceAddress): Problem {
  return new Problem(
    "service_unreachable",
    `${service.name} can't be reached at ${service.url.origin}: ${connectionFailure(error)}: ${
      hint(service)
    }`,
  );
}

function hint({ name }: ServiceAddress): string {
  const option = name.replace("_", "-");
  return `is it running (./fovea ${option})? give another address with --${option}`;
}
