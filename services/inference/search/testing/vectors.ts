/**
 * Vectors for tests: made up, but lying as those of CLIP do.
 *
 * @module
 */
import {
  byRank,
  dot,
  type IndexedVector,
  type Rank,
  ranksBefore,
  type VectorFilter,
  type VectorQuestion,
  type VectorSource,
} from "../vector_index.ts";

/** The same numbers from 0 to 1 each time (mulberry32). */
export function seeded(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const gaussian = (dice: () => number) =>
  Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice());

export function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/**
 * Makes vectors that share most of their direction (a narrow cone), with a few loud dimensions, in
 * groups of which members are alike; one in twenty is nearly a copy of the one before.
 */
export function vectorMaker(dimension: number, seed: number): () => Float32Array {
  const dice = seeded(seed);
  const noise = (scale: number) =>
    Float32Array.from({ length: dimension }, () => scale * gaussian(dice));
  const cone = noise(1);
  for (let loud = 0; loud < dimension / 100; loud++) {
    cone[Math.floor(dice() * dimension)] = 8 * gaussian(dice);
  }
  const groups = Array.from({ length: 40 }, () => noise(0.5));
  let last = cone;
  return () => {
    const own = dice() < 0.05
      ? noise(0.01).map((value, d) => value + last[d]!)
      : noise(0.4).map((value, d) =>
        value + cone[d]! + groups[Math.floor(dice() * groups.length)]![d]!
      );
    last = own;
    return normalised(own);
  };
}

/** In memory, in place of the database. */
export class MemorySource implements VectorSource {
  readonly vectors = new Map<number, IndexedVector>();
  /** How many vectors were read to be looked at exactly. */
  reads = 0;

  add(...vectors: IndexedVector[]): void {
    for (const vector of vectors) this.vectors.set(vector.id, vector);
  }

  async after(id: number, limit: number): Promise<IndexedVector[]> {
    const rows = [...this.vectors.values()].filter((row) => row.id > id)
      .sort((a, b) => a.id - b.id).slice(0, limit);
    await Promise.resolve();
    return rows;
  }

  read(ids: readonly number[]): Promise<IndexedVector[]> {
    this.reads += ids.length;
    return Promise.resolve(ids.flatMap((id) => this.vectors.get(id) ?? []));
  }

  /** The answer by looking at every vector. */
  bruteForce({ vector, limit, filter = {}, after, without = [] }: VectorQuestion): Rank[] {
    return [...this.vectors.values()]
      .filter(({ id, facets }) => passes(facets, filter) && !without.includes(id))
      .map((row) => ({ id: row.id, score: dot(vector, row.vector) }))
      .filter((rank) => after === undefined || ranksBefore(after, rank))
      .sort(byRank).slice(0, limit);
  }
}

function passes(
  { parentId, createDate, isDeleted }: IndexedVector["facets"],
  filter: VectorFilter,
): boolean {
  if (isDeleted && filter.includeDeleted !== true) return false;
  if (filter.parentId !== undefined && filter.parentId !== parentId) return false;
  if (filter.createdFrom === undefined && filter.createdTo === undefined) return true;
  return createDate !== null && createDate >= (filter.createdFrom ?? -Infinity) &&
    createDate < (filter.createdTo ?? Infinity);
}
