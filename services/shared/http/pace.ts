/**
 * How slowly a body may come: a client that sends a byte now and then would else hold a connection,
 * a parser and a file open for ever.
 *
 * @module
 */
import { Problem } from "@fovea/contract";

export interface Pace {
  /** Milliseconds that a client may be behind. */
  patienceMs: number;
  /** Bytes a second that it has to send in the long run. */
  minRate: number;
}

/** Slower than any line that a picture is sent over; a pause of half a minute is forgiven. */
export const UPLOAD_PACE: Pace = { patienceMs: 30_000, minRate: 1024 };

/**
 * The body's bytes as they come. Waiting for them uses patience up and each one that comes gives some
 * back, so that only the client's time counts, and not that of whoever takes the bytes. Who stops
 * early leaves the body open.
 *
 * @throws {Problem} `upload_stalled` once no patience is left
 */
export async function* keepPace(
  body: ReadableStreamDefaultReader<Uint8Array>,
  { patienceMs, minRate }: Pace,
): AsyncGenerator<Uint8Array> {
  let patience = patienceMs;
  for (;;) {
    const since = performance.now();
    const stalled = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const seconds = patienceMs / 1000;
      stalled.reject(
        new Problem(
          "upload_stalled",
          `body came too slowly: it may pause for ${seconds} s, and ${minRate} bytes a second are ` +
            `the least in the long run`,
        ),
      );
    }, patience);
    const read = await Promise.race([body.read(), stalled.promise]).finally(() =>
      clearTimeout(timer)
    );
    if (read.done) return;
    const waited = performance.now() - since;
    patience = Math.min(patience - waited + read.value.length / minRate * 1000, patienceMs);
    yield read.value;
  }
}
