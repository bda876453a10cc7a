/**
 * What two pictures that are alike are to each other. Neither the embedding nor the hash tells alone:
 * a burst has nearly one embedding, and flat pictures have nearly one hash.
 *
 * @module
 */

/** The first is the strongest: each picture of a group of one kind may be removed with less thought. */
export const PAIR_KINDS = ["same", "burst", "alike"] as const;
export type PairKind = typeof PAIR_KINDS[number];

/** Below this two pictures are not kept as a pair at all. */
export const MIN_PAIR_SCORE = 0.9;

/** The same picture in another format, size or quality. */
const SAME = { minScore: 0.97, maxBits: 10, maxAspectRatio: 1.02 };
/** Taken one after the other, of the same thing. */
const BURST = { minScore: 0.93, maxMs: 10_000 };

export interface PairedPicture {
  width: number;
  height: number;
  /** When it was taken, ms since the epoch. */
  createDate: number | null;
}

/**
 * @param score cosine of the two embeddings, {@link MIN_PAIR_SCORE} or more
 * @param bits in which their difference hashes differ; null where one has none
 */
export function pairKind(
  score: number,
  bits: number | null,
  a: PairedPicture,
  b: PairedPicture,
): PairKind {
  const aspects = [a, b].map(({ width, height }) => width / height) as [number, number];
  const isSame = score >= SAME.minScore && bits !== null && bits <= SAME.maxBits &&
    Math.max(...aspects) / Math.min(...aspects) <= SAME.maxAspectRatio;
  if (isSame) return "same";
  const isBurst = score >= BURST.minScore && a.createDate !== null && b.createDate !== null &&
    Math.abs(a.createDate - b.createDate) <= BURST.maxMs;
  return isBurst ? "burst" : "alike";
}
