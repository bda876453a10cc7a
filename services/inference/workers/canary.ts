/**
 * [note: canary] A picture whose answer is known, shown to each worker when it has loaded a model and
 * every few minutes after: a worker is fit when it gives that answer, not when it merely lives.
 * Each task says in its own file what the answer is.
 *
 * The canary takes its turn after all jobs, but is no job: it comes from no client, so it is in no
 * list, has no event and leaves no vector. It neither brings up a worker that has been ended for
 * having nothing to do, nor keeps one from that end.
 *
 * The picture is a cut-out of NASA's portrait of Eileen Collins (public domain).
 *
 * @module
 */

/** Pixels of the canary. */
export const CANARY_PIXELS = 256 * 256;

/** The picture's bytes, a JPEG. */
export function readCanary(): Promise<Uint8Array> {
  return Deno.readFile(new URL("canary.jpg", import.meta.url));
}
