import type { Context, MiddlewareHandler } from "hono";
import { setHeaders } from "./web_socket.ts";

const HEADER = "X-Request-Id";

/** What a client may choose as its id: printable ASCII without blanks, so that a log line stays one. */
const WELL_FORMED = /^[\x21-\x7e]{1,128}$/;

/**
 * Gives each request an id, the client's own where it sent a good one in `X-Request-Id`, and sends
 * it back under the same name. Log lines and problem documents carry it too.
 */
export const requestIds: MiddlewareHandler = async (c, next) => {
  const sent = c.req.header(HEADER);
  const id = sent !== undefined && WELL_FORMED.test(sent) ? sent : crypto.randomUUID();
  c.set("requestId", id);
  await next();
  setHeaders(c, { [HEADER]: id });
};

/** The id of a request that went through {@link requestIds}. */
export function requestIdOf(c: Context): string {
  return c.get("requestId");
}
