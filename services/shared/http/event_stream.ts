/**
 * Server-sent events (WHATWG HTML, 9.2).
 *
 * @module
 */
import { takenAtPace } from "./pace.ts";

/** Milliseconds after which a client that lost its connection is to come back. */
const RETRY_MS = 2000;

/** A comment, which clients pass over and which keeps the connection alive. */
export const KEEP_ALIVE = ":\n\n";

/** An event as it is written. @param data one line */
export function serverSentEvent(event: { id?: string; event?: string; data: string }): string {
  const lines = [
    ...event.id === undefined ? [] : [`id: ${event.id}`],
    ...event.event === undefined ? [] : [`event: ${event.event}`],
    `data: ${event.data}`,
  ];
  return `${lines.join("\n")}\n\n`;
}

/**
 * An answer that stays open and is written as fast as the client reads; one that reads nothing is
 * left.
 *
 * @param texts events and {@link KEEP_ALIVE}
 * @param gone aborted when the client has gone
 */
export function eventStream(
  request: Request,
  texts: AsyncIterator<string>,
  gone: AbortController,
): Response {
  const encoder = new TextEncoder();
  // Pulled only as fast as the client reads.
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`)),
    async pull(controller) {
      const { value, done } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: () => gone.abort(),
  }, { highWaterMark: 0 });
  return new Response(takenAtPace(request, body), {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      // nginx in front would else keep events back until it has a few of them.
      "X-Accel-Buffering": "no",
    },
  });
}
