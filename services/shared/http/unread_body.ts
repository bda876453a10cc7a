import type { MiddlewareHandler } from "hono";
import { endConnectionOf } from "./connections.ts";
import { answerOfUpgrade, setHeaders } from "./web_socket.ts";

/** How much more is read, how long in all, and how long nothing may come. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MS = 5000;
const MAX_PAUSE_MS = 500;

/**
 * For requests that are refused before their body was read: a client that is cut off while it sends
 * meets a broken pipe and never sees the answer. So what it still sends is read and thrown away, up
 * to a bound; where that was not all, the connection ends with the answer.
 */
export const discardUnreadBody: MiddlewareHandler = async (c, next) => {
  await next();
  if (answerOfUpgrade(c.req.raw) !== undefined) return;
  const { body } = c.req.raw;
  if (body === null || body.locked) return;
  if (await discard(body.getReader())) return;
  setHeaders(c, { Connection: "close" });
  endConnectionOf(c.req.raw);
};

/** @returns whether the body was read to its end */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> {
  const until = Date.now() + MAX_MS;
  let left = MAX_BYTES;
  while (left > 0 && Date.now() < until) {
    const pause = Promise.withResolvers<"pause">();
    const timer = setTimeout(() => pause.resolve("pause"), MAX_PAUSE_MS);
    // A client that has gone needs no answer, and leaves nothing to read.
    const gone = { done: true, value: undefined } as const;
    const read = await Promise.race([reader.read().catch(() => gone), pause.promise]);
    clearTimeout(timer);
    if (read === "pause") break;
    if (read.done) return true;
    left -= read.value.length;
  }
  await reader.cancel().catch(() => {});
  return false;
}
