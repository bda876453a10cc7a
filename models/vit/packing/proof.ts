/**
 * How int8 proves itself: pictures embedded in both precisions have to come out alike.
 *
 * @module
 */

export interface Proof {
  /** How many pictures were embedded. */
  pictures: number;
  /** Of a picture's embeddings in both precisions. */
  smallestCosine: number;
  /** Of how many pictures the nearest other one is the same in both precisions, ties aside. */
  neighboursKept: number;
  /** Whether that is good enough. */
  isGood: boolean;
}

/** An int8 embedding must be no further from the exact one. */
export const SMALLEST_COSINE = 0.995;

/** Others that are as near as this, in cosine, are equally near: which of them comes first is chance. */
const TIE = 0.01;

/** Compares embeddings of the same pictures, [pictures][embedding] each. */
export function prove(exact: Float32Array[], quantised: Float32Array[]): Proof {
  const cosines = exact.map((embedding, i) => cosine(embedding, quantised[i]!));
  const smallestCosine = Math.min(...cosines);
  const neighboursKept = exact.filter((_, i) => {
    const before = cosinesToOthers(exact, i);
    const neighbour = indexOfLargest(cosinesToOthers(quantised, i));
    return before[neighbour]! >= Math.max(...before) - TIE;
  }).length;
  return {
    pictures: exact.length,
    smallestCosine,
    neighboursKept,
    isGood: smallestCosine >= SMALLEST_COSINE && neighboursKept === exact.length,
  };
}

function cosinesToOthers(embeddings: Float32Array[], one: number): number[] {
  return embeddings.map((other, i) => i === one ? -Infinity : cosine(embeddings[one]!, other));
}

function indexOfLargest(numbers: number[]): number {
  return numbers.indexOf(Math.max(...numbers));
}

/** From −1 to 1; −1 as well where one of them is no direction at all. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, squaresOfA, squaresOfB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    squaresOfA += a[i]! ** 2;
    squaresOfB += b[i]! ** 2;
  }
  const cosine = dot / Math.sqrt(squaresOfA * squaresOfB);
  return Number.isNaN(cosine) ? -1 : cosine;
}
