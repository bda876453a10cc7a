/**
 * What a search looks into, whatever it is made of: vectors of one space by the ids of their
 * entities, and what of each entity a search may be narrowed by. It knows nothing of jobs or HTTP.
 *
 * @module
 */

/** What of an entity a search may be narrowed by. */
export interface Facets {
  /** The collection that it lies in. */
  parentId: number | null;
  /** When the picture was taken, ms since the epoch. */
  createDate: number | null;
  /** Whether it is deleted softly. */
  isDeleted: boolean;
}

/** The vector of one entity. */
export interface IndexedVector {
  id: number;
  vector: Float32Array;
  facets: Facets;
}

/** Where vectors are kept for good: an index is made of it, and its answers are checked against it. */
export interface VectorSource {
  /** Vectors of ids after this one, in the order of ids. */
  after(id: number, limit: number): Promise<IndexedVector[]>;
  /** Of these ids those that have a vector now, in any order. */
  read(ids: readonly number[]): Promise<Pick<IndexedVector, "id" | "vector">[]>;
}

/** All of it must hold. */
export interface VectorFilter {
  /** `null`: in no collection. */
  parentId?: number | null | undefined;
  /** Ms since the epoch, included. What has no date is in no range. */
  createdFrom?: number | undefined;
  /** Ms since the epoch, not included. */
  createdTo?: number | undefined;
  /** Also what is softly deleted. */
  includeDeleted?: boolean | undefined;
}

/** A place in the order of results: by score, the highest first, and of equal ones by id. */
export interface Rank {
  score: number;
  id: number;
}

export interface VectorQuestion {
  /** Of the space's dimension. */
  vector: Float32Array;
  /** Results at most, from 1. */
  limit: number;
  filter?: VectorFilter | undefined;
  /** Only what ranks behind. */
  after?: Rank | undefined;
  /** Not these entities. */
  without?: readonly number[] | undefined;
}

export interface VectorAnswer {
  /** The best, in their order. The score is the dot product: of normalised vectors the cosine. */
  hits: Rank[];
  /** How many vectors the filter leaves, wherever they rank. */
  eligible: number;
  /** Mean and standard deviation of the scores of these, to four digits or so. */
  mean: number;
  deviation: number;
}

export interface VectorIndex extends AsyncDisposable {
  /** How many vectors it has. */
  readonly size: number;
  /** Adds a vector, in place of one of the same id. It is kept in the source already. */
  put(vector: IndexedVector): void;
  /** Takes over what an entity has become; one that has no vector is passed over. */
  update(id: number, facets: Facets): void;
  remove(id: number): void;
  /** Exact: the very results of comparing with every vector, in the same order each time. */
  search(question: VectorQuestion): Promise<VectorAnswer>;
}

/** Whether one place comes before another. */
export function ranksBefore(a: Rank, b: Rank): boolean {
  return a.score > b.score || a.score === b.score && a.id < b.id;
}

/** Sorts results into their order. */
export function byRank(a: Rank, b: Rank): number {
  return b.score - a.score || a.id - b.id;
}

/** The dot product, added up in double precision in the order of dimensions: always the same. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
