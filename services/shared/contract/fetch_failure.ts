/**
 * The error that says why a fetch failed. Since Deno 2.8, as in Node.js, `fetch` itself says only
 * "fetch failed", and the reason is its cause; before, it said the reason itself.
 */
export function fetchFailure(error: unknown): unknown {
  return error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
}
