/**
 * How slowly a body may come, and an answer may be taken: a client that sends a byte now and then, or
 * reads none, would else hold a connection, a parser and a file open for ever.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { abortConnectionOf } from "./connections.ts";

export interface Pace {
  /** Milliseconds that a client may be behind. */
  allowanceMs: number;
  /** Bytes a second that it has to send, or to take, in the long run. */
  minRate: number;
}

/** Slower than any line that a picture is sent over; a pause of half a minute is forgiven. */
export const UPLOAD_PACE: Pace = { allowanceMs: 30_000, minRate: 1024 };

/**
 * The body's bytes as they come. Waiting for them uses the allowance up, and each one that comes gives
 * some back, so that only the client's time counts, and not that of whoever takes the bytes. Who
 * stops early leaves the body open.
 *
 * @throws {Problem} `upload_stalled` once nothing of the allowance is left; `broken_body`
 */
export async function* keepPace(
  body: ReadableStreamDefaultReader<Uint8Array>,
  pace: Pace,
): AsyncGenerator<Uint8Array> {
  const { allowanceMs, minRate } = pace;
  let leftMs = allowanceMs;
  for (;;) {
    const since = performance.now();
    const read = await readInTime(body.read(), leftMs, pace);
    if (read.done) return;
    const waited = performance.now() - since;
    leftMs = Math.min(leftMs - waited + read.value.length / minRate * 1000, allowanceMs);
    yield read.value;
  }
}

/**
 * What is read of a body, where it comes in time.
 *
 * @throws {Problem} `upload_stalled`; `broken_body`
 */
export async function readInTime<T>(reading: Promise<T>, leftMs: number, pace: Pace): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(stalled(pace)), leftMs);
  const read = reading.catch(() => {
    throw brokenBody();
  });
  return await Promise.race([read, late.promise]).finally(() => clearTimeout(timer));
}

/** What a client is told whose body came too slowly. */
function stalled({ allowanceMs, minRate }: Pace): Problem {
  return new Problem(
    "upload_stalled",
    `body came too slowly: it may pause for ${
      allowanceMs / 1000
    } s, and ${minRate} bytes a second ` +
      `are the least in the long run`,
  );
}

/** What became of a body that the runtime could not read. */
function brokenBody(): Problem {
  return new Problem(
    "broken_body",
    "body can't be read: it breaks off before its end, or its chunks are malformed",
  );
}

/**
 * An answer's body, as long as its client takes it: waiting for the client uses the allowance up, and
 * what it takes gives some back. Once none is left, the connection ends. How long the bytes
 * themselves are in coming does not count.
 */
export function takenAtPace(
  request: Request,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { allowanceMs, minRate }: Pace = UPLOAD_PACE,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let leftMs = allowanceMs;
  let given = { at: performance.now(), bytes: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (reason: unknown) => {
    clearTimeout(timer);
    return reader.cancel(reason);
  };
  return new ReadableStream({
    // The client is asked for nothing more than it has taken: each pull says that it has.
    async pull(controller) {
      clearTimeout(timer);
      const waited = performance.now() - given.at;
      leftMs = Math.min(leftMs - waited + given.bytes / minRate * 1000, allowanceMs);
      const { done, value } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value);
      given = { at: performance.now(), bytes: value.length };
      timer = setTimeout(() => {
        abortConnectionOf(request);
        stop("client takes nothing").catch(() => {});
      }, Math.max(0, leftMs));
    },
    cancel: stop,
  }, { highWaterMark: 0 });
}
