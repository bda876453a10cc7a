/**
 * Vectors as codes of 8 bits a dimension, and what may be said of a score from them.
 *
 * Of dimension d a code c stands for mean[d] + step[d] · c. What is left over of a vector x is its
 * residual r. So for a query q the score q · x is
 *
 *     q · mean  +  Σ q[d] step[d] c[d]  +  q · r
 *
 * of which the last part is not known, but by Cauchy and Schwarz is at most |q| |r| either way. The
 * length of r is kept with each row, so that it is known how far off a score from codes may be.
 *
 * @module
 */

/** The largest code either way. */
export const MAX_CODE = 127;
/** The largest number of a query either way: scan.c adds up products of the two in 32 bits. */
const MAX_QUERY = 8191;
/** See scan.c. */
export const MAX_DIMENSION = 2048;

/** A row's length in the index: scan.c reads 16 codes at once. The rest is 0. */
export const widthOf = (dimension: number): number => Math.ceil(dimension / 16) * 16;

/** How far beyond the values of the sample codes reach. */
const MARGIN = 1.25;

/** A query as the scan takes it, and what can be said of the scores. */
export interface QueryCodes {
  numbers: Int16Array;
  scale: number;
  offset: number;
  /** A score is off by `norm` times the length of the row's residual and `slack` at most. */
  norm: number;
  slack: number;
}

export class Codes {
  readonly dimension: number;
  readonly #mean: Float64Array;
  readonly #step: Float64Array;

  /**
   * Learns where values lie. Vectors of other kinds are coded too, but less exactly.
   *
   * @param sample vectors of `dimension` numbers; about a thousand are enough
   */
  constructor(dimension: number, sample: readonly Float32Array[]) {
    this.dimension = dimension;
    this.#mean = new Float64Array(dimension);
    // Without a sample: a normalised vector reaches 1, and rarely a fifth of it.
    this.#step = new Float64Array(dimension).fill(0.2 / MAX_CODE);
    if (sample.length < 2) return;
    for (let d = 0; d < dimension; d++) {
      let sum = 0;
      for (const vector of sample) sum += vector[d]!;
      const mean = sum / sample.length;
      let most = 0;
      for (const vector of sample) most = Math.max(most, Math.abs(vector[d]! - mean));
      this.#mean[d] = mean;
      this.#step[d] = Math.max(MARGIN * most / MAX_CODE, Number.EPSILON);
    }
  }

  /**
   * @param codes where the row is written, {@link widthOf} codes
   * @returns the length of its residual, rounded up
   */
  encode(vector: Float32Array, codes: Int8Array): number {
    let residual = 0;
    for (let d = 0; d < this.dimension; d++) {
      const value = vector[d]! - this.#mean[d]!;
      const step = this.#step[d]!;
      const code = Math.max(-MAX_CODE, Math.min(MAX_CODE, Math.round(value / step)));
      codes[d] = code;
      residual += (value - code * step) ** 2;
    }
    return Math.sqrt(residual) * (1 + 1e-6);
  }

  encodeQuery(query: Float32Array): QueryCodes {
    const numbers = new Int16Array(widthOf(this.dimension));
    let most = 0;
    let offset = 0;
    let norm = 0;
    for (let d = 0; d < this.dimension; d++) {
      most = Math.max(most, Math.abs(query[d]! * this.#step[d]!));
      offset += query[d]! * this.#mean[d]!;
      norm += query[d]! ** 2;
    }
    const scale = Math.max(most, Number.MIN_VALUE * MAX_QUERY) / MAX_QUERY;
    let lost = 0;
    let largest = 0;
    for (let d = 0; d < this.dimension; d++) {
      const exact = query[d]! * this.#step[d]!;
      numbers[d] = Math.round(exact / scale);
      lost += Math.abs(exact - numbers[d]! * scale);
      largest += Math.abs(exact);
    }
    return {
      numbers,
      scale,
      offset,
      norm: Math.sqrt(norm) * (1 + 1e-6),
      // What rounding the query costs; and what float32, with 24 bits, costs the scan's last steps.
      slack: MAX_CODE * lost + 4 * 2 ** -24 * (Math.abs(offset) + MAX_CODE * largest),
    };
  }
}
