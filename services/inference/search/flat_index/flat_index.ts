/**
 * An exact index: every vector is looked at for every search, as 8-bit codes, and the best are looked
 * at once more as they are kept.
 *
 * [note: exact by bounds] A score from codes may be off, by no more than is known of each row
 * (codes.ts). So when the best k by codes have their exact scores, and the lowest of these is t, then
 * whatever may reach t as far as codes tell is looked at exactly, too. What is left out can't be among
 * the best k. There are few such rows, since codes are hardly off.
 *
 * Vectors are written while threads scan. A row that changes meanwhile may be found or not in that
 * one search, as if it had come a moment later or earlier; but what is answered was read from the
 * source, so that nothing is found that has gone.
 *
 * @module
 */
import { SerialQueue } from "@fovea/process/serial_queue";
import {
  byRank,
  dot,
  type Facets,
  type IndexedVector,
  type Rank,
  ranksBefore,
  type VectorAnswer,
  type VectorIndex,
  type VectorQuestion,
  type VectorSource,
} from "../vector_index.ts";
import { Codes, MAX_DIMENSION } from "./codes.ts";
import { Rows } from "./rows.ts";
import { ScanThreads } from "./scan_threads.ts";
import { MAX_PAGES, SEGMENT_ROWS, SegmentLayout } from "./segments.ts";

/** Vectors from which codes are learned. */
const SAMPLE = 1000;

/** Vectors that are read from the source at once while it is filled; a search may come in between. */
const CHUNK = 1000;

/** Of a search, how many rows more than are asked for are looked at exactly to begin with. */
const SPARE = 40;

export interface FlatIndexOptions {
  source: VectorSource;
  /** Numbers of a vector, 1 to 2,048. */
  dimension: number;
  /** Threads that scan; from 1. */
  threads?: number;
  /** Stops filling it. */
  signal?: AbortSignal;
  /** Told how many vectors there are while it is filled. */
  onProgress?: (size: number) => void;
}

export class FlatIndex implements VectorIndex {
  readonly #source: VectorSource;
  readonly #layout: SegmentLayout;
  readonly #memory: WebAssembly.Memory;
  readonly #threads: number;
  readonly #searches = new SerialQueue();
  readonly #rows = new Rows();
  #scanThreads: ScanThreads | undefined;
  #codes: Codes;
  /** Vectors that codes were learned from. */
  #learned = 0;
  /** What has become of entities while a chunk was on its way from the source: newer than that. */
  #changed: Map<number, "written" | "removed" | Facets> | undefined;

  private constructor({ source, dimension, threads = 1 }: FlatIndexOptions) {
    if (dimension < 1 || dimension > MAX_DIMENSION) {
      throw new RangeError(`dimension is ${dimension}: 1 to ${MAX_DIMENSION} are allowed`);
    }
    this.#source = source;
    this.#threads = threads;
    this.#codes = new Codes(dimension, []);
    this.#layout = new SegmentLayout(dimension, threads);
    this.#memory = new WebAssembly.Memory({
      initial: this.#layout.pages(0),
      maximum: MAX_PAGES,
      shared: true,
    });
  }

  /** An index of all that the source has. @throws {AbortError} where it was stopped */
  static async of(options: FlatIndexOptions): Promise<FlatIndex> {
    const { index, filled } = FlatIndex.begin(options);
    await filled;
    return index;
  }

  /**
   * The same for somebody who writes to it meanwhile: what changes from now on is to be told to
   * `index`, which is whole once `filled` has resolved.
   */
  static begin(options: FlatIndexOptions): { index: FlatIndex; filled: Promise<void> } {
    const index = new FlatIndex(options);
    index.#changed = new Map();
    const filled = index.#learn().then(() => index.#fill(options));
    return { index, filled };
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Bytes of memory that it takes, without what JavaScript keeps of it. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  put({ id, vector, facets }: IndexedVector): void {
    this.#changed?.set(id, "written");
    this.#write({ id, vector, facets });
    // The first vectors came before there was anything to learn from.
    const isDue = this.#learned < SAMPLE && this.size >= 2 * Math.max(this.#learned, 32);
    if (!isDue || this.#changed !== undefined) return;
    this.#changed = new Map();
    this.#searches.run(async () => {
      await this.#learn();
      await this.#fill();
    });
  }

  update(id: number, facets: Facets): void {
    if (!this.#rows.has(id)) this.#changed?.set(id, facets);
    this.#rows.update(id, facets);
  }

  remove(id: number): void {
    this.#changed?.set(id, "removed");
    this.#rows.remove(id);
  }

  search(question: VectorQuestion): Promise<VectorAnswer> {
    return this.#searches.run(() => this.#search(question));
  }

  async #search(question: VectorQuestion): Promise<VectorAnswer> {
    const { vector, limit, filter = {}, after } = question;
    const without = new Set(question.without ?? []);
    const segments = this.#rows.segments;
    for (let segment = 0; segment < segments; segment++) {
      const { mask } = this.#layout.at(segment);
      this.#rows.writeMask(
        segment,
        filter,
        new Uint8Array(this.#memory.buffer, mask, SEGMENT_ROWS),
      );
    }
    const below = after?.score ?? Infinity;
    const query = this.#codes.encodeQuery(vector);
    const exact = new ExactScores(
      this.#source,
      this.#rows,
      vector,
      (rank) => !without.has(rank.id) && (after === undefined || ranksBefore(after, rank)),
    );
    for (let wanted = limit + without.size + SPARE;; wanted *= 4) {
      const scan = await this.#scan({ kind: "scan", query, segments, limit: wanted, below });
      await exact.add(scan.slots);
      if (exact.ranks.length >= limit) {
        const from = exact.ranks[limit - 1]!.score;
        await exact.add((await this.#threadsNow().range({ kind: "range", from, below })).slots);
      } else if (scan.slots.length === wanted) {
        // Many of them have gone, or stand before `after` with the very same score.
        continue;
      }
      const { eligible, sum, squares } = scan;
      const mean = eligible === 0 ? 0 : sum / eligible;
      return {
        hits: exact.ranks.slice(0, limit),
        eligible,
        mean,
        deviation: eligible === 0 ? 0 : Math.sqrt(Math.max(0, squares / eligible - mean * mean)),
      };
    }
  }

  async #scan(request: Parameters<ScanThreads["scan"]>[0]) {
    try {
      return await this.#threadsNow().scan(request);
    } catch (error) {
      // Others come for the next search.
      this.#scanThreads?.[Symbol.dispose]();
      this.#scanThreads = undefined;
      throw error;
    }
  }

  #threadsNow(): ScanThreads {
    return this.#scanThreads ??= new ScanThreads({
      memory: this.#memory,
      dimension: this.#codes.dimension,
      threads: this.#threads,
    });
  }

  /** Whoever learns writes all rows anew: there may be no codes of two kinds. */
  async #learn(): Promise<void> {
    const sample = await this.#source.after(0, SAMPLE);
    this.#codes = new Codes(this.#codes.dimension, sample.map(({ vector }) => vector));
    this.#learned = sample.length;
  }

  async #fill(
    { signal, onProgress }: Pick<FlatIndexOptions, "signal" | "onProgress"> = {},
  ): Promise<void> {
    try {
      for (let last = 0;;) {
        this.#changed = new Map();
        const chunk = await this.#source.after(last, CHUNK);
        signal?.throwIfAborted();
        for (const row of chunk) this.#writeUnlessChanged(row);
        if (chunk.length === 0) break;
        last = chunk.at(-1)!.id;
        onProgress?.(this.size);
        await new Promise((resolve) => setTimeout(resolve));
      }
    } finally {
      this.#changed = undefined;
    }
  }

  #writeUnlessChanged(row: IndexedVector): void {
    const change = this.#changed!.get(row.id);
    if (change === "written" || change === "removed") return;
    this.#write({ ...row, facets: change ?? row.facets });
  }

  #write({ id, vector, facets }: IndexedVector): void {
    const slot = this.#rows.take(id, facets);
    const segment = Math.floor(slot / SEGMENT_ROWS);
    const row = slot % SEGMENT_ROWS;
    const missing = this.#layout.pages(segment + 1) - this.#memory.buffer.byteLength / 65536;
    if (missing > 0) this.#memory.grow(missing);
    const { codes, residuals } = this.#layout.at(segment);
    const { width } = this.#layout;
    const { buffer } = this.#memory;
    new Float32Array(buffer, residuals, SEGMENT_ROWS)[row] = this.#codes.encode(
      vector,
      new Int8Array(buffer, codes + row * width, width),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#searches.run(() => Promise.resolve());
    this.#scanThreads?.[Symbol.dispose]();
  }
}

/** The exact scores of the rows that were looked at, in their order. */
class ExactScores {
  readonly ranks: Rank[] = [];
  readonly #source: VectorSource;
  readonly #rows: Rows;
  readonly #query: Float32Array;
  readonly #isWanted: (rank: Rank) => boolean;
  readonly #seen = new Set<number>();

  constructor(
    source: VectorSource,
    rows: Rows,
    query: Float32Array,
    isWanted: (rank: Rank) => boolean,
  ) {
    this.#source = source;
    this.#rows = rows;
    this.#query = query;
    this.#isWanted = isWanted;
  }

  /** Reads those that were not seen yet. */
  async add(slots: Int32Array): Promise<void> {
    const ids: number[] = [];
    for (const slot of slots) {
      const id = this.#rows.idOf(slot);
      if (id === undefined || this.#seen.has(id)) continue;
      this.#seen.add(id);
      ids.push(id);
    }
    if (ids.length === 0) return;
    for (const { id, vector } of await this.#source.read(ids)) {
      const rank = { id, score: dot(this.#query, vector) };
      if (this.#isWanted(rank)) this.ranks.push(rank);
    }
    this.ranks.sort(byRank);
  }
}
