/** How the pause before a next try grows. */
export interface Backoff {
  /** Before the second try. */
  firstMs: number;
  /** What each further pause is times the one before. */
  factor: number;
  /** No pause is longer. */
  maxMs: number;
}

/**
 * Exponential backoff, capped, with equal jitter (Brooker, "Exponential Backoff And Jitter", 2015):
 * half of the pause is certain, the other half is random, so that what failed together does not
 * come back together.
 *
 * @param tries how often it has been tried, at least 1
 * @param random 0…1
 * @returns milliseconds, rounded, between half of the pause and the whole
 */
export function pauseBefore(
  { firstMs, factor, maxMs }: Backoff,
  tries: number,
  random: () => number,
): number {
  const pause = Math.min(maxMs, firstMs * factor ** (tries - 1));
  return Math.round(pause * (1 + random()) / 2);
}
