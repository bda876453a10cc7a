/**
 * How rows lie in the memory that the threads of an index share. [note: segments] Rows come in
 * segments of a fixed size, one behind the other: memory grows by one at a time, and nothing that is
 * there is ever moved. A row keeps its place (its slot) until it is removed; then another gets it.
 *
 * @module
 */
import { widthOf } from "./codes.ts";

/** Rows of a segment; an even number, see scan.c. */
export const SEGMENT_ROWS = 8192;

const PAGE_BYTES = 65536;
/** WebAssembly's 4 GiB. */
export const MAX_PAGES = 65536;

/** The first page is the kernel's own; then each thread has one for its query. */
export const queryAddress = (thread: number): number => (1 + thread) * PAGE_BYTES;

/** Where one segment's parts begin, bytes. */
export interface SegmentAddresses {
  /** int8[SEGMENT_ROWS][width] */
  codes: number;
  /** float32[SEGMENT_ROWS]: lengths of residuals, see codes.ts. */
  residuals: number;
  /** float32[SEGMENT_ROWS]: written by a scan. */
  scores: number;
  /** uint8[SEGMENT_ROWS]: 1 for rows that a search may find. */
  mask: number;
}

export class SegmentLayout {
  readonly width: number;
  readonly #start: number;
  readonly #bytes: number;

  constructor(dimension: number, threads: number) {
    this.width = widthOf(dimension);
    this.#start = queryAddress(threads);
    // A row is codes, two float32 and a byte; SEGMENT_ROWS makes a multiple of a page of any of them
    // but the last, and so does their sum when it is rounded up.
    const bytes = SEGMENT_ROWS * (this.width + 4 + 4 + 1);
    this.#bytes = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  }

  /** How many pages so many segments need, all told. */
  pages(segments: number): number {
    return (this.#start + segments * this.#bytes) / PAGE_BYTES;
  }

  at(segment: number): SegmentAddresses {
    const codes = this.#start + segment * this.#bytes;
    const residuals = codes + SEGMENT_ROWS * this.width;
    const scores = residuals + SEGMENT_ROWS * 4;
    return { codes, residuals, scores, mask: scores + SEGMENT_ROWS * 4 };
  }
}
