/**
 * The rows of an index: which entity has which slot, and what a search may be narrowed by. The codes
 * themselves lie in memory that threads share, see segments.ts.
 *
 * @module
 */
import type { Facets, VectorFilter } from "../vector_index.ts";
import { SEGMENT_ROWS } from "./segments.ts";

/** In place of an id, where a slot is free. */
const NOBODY = 0;
/** In place of a collection's id: ids begin at 1. */
const NO_PARENT = 0;

/** One segment's columns. */
class SegmentColumns {
  readonly ids = new Float64Array(SEGMENT_ROWS);
  readonly parentIds = new Float64Array(SEGMENT_ROWS);
  /** NaN: no date. */
  readonly createDates = new Float64Array(SEGMENT_ROWS);
  readonly deleted = new Uint8Array(SEGMENT_ROWS);
}

export class Rows {
  readonly #segments: SegmentColumns[] = [];
  readonly #slots = new Map<number, number>();
  readonly #free: number[] = [];
  #used = 0;

  /** How many entities have a row. */
  get size(): number {
    return this.#slots.size;
  }

  get segments(): number {
    return this.#segments.length;
  }

  has(id: number): boolean {
    return this.#slots.has(id);
  }

  /** The entity that has a slot; undefined where nobody has it. */
  idOf(slot: number): number | undefined {
    const id = this.#segments[Math.floor(slot / SEGMENT_ROWS)]?.ids[slot % SEGMENT_ROWS];
    return id === NOBODY ? undefined : id;
  }

  /** Gives an entity a slot, or its own once more. */
  take(id: number, facets: Facets): number {
    let slot = this.#slots.get(id);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#used++;
      if (Math.floor(slot / SEGMENT_ROWS) === this.#segments.length) {
        this.#segments.push(new SegmentColumns());
      }
      this.#slots.set(id, slot);
    }
    this.#write(slot, id, facets);
    return slot;
  }

  update(id: number, facets: Facets): void {
    const slot = this.#slots.get(id);
    if (slot !== undefined) this.#write(slot, id, facets);
  }

  remove(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#segments[Math.floor(slot / SEGMENT_ROWS)]!.ids[slot % SEGMENT_ROWS] = NOBODY;
    this.#free.push(slot);
  }

  #write(slot: number, id: number, { parentId, createDate, isDeleted }: Facets): void {
    const segment = this.#segments[Math.floor(slot / SEGMENT_ROWS)]!;
    const row = slot % SEGMENT_ROWS;
    segment.ids[row] = id;
    segment.parentIds[row] = parentId ?? NO_PARENT;
    segment.createDates[row] = createDate ?? NaN;
    segment.deleted[row] = Number(isDeleted);
  }

  /** Writes for each row of a segment whether a filter leaves it. */
  writeMask(
    index: number,
    { parentId, createdFrom, createdTo, includeDeleted = false }: VectorFilter,
    mask: Uint8Array,
  ): void {
    const { ids, parentIds, createDates, deleted } = this.#segments[index]!;
    const isDated = createdFrom !== undefined || createdTo !== undefined;
    const from = createdFrom ?? -Infinity;
    const to = createdTo ?? Infinity;
    const parent = parentId === null ? NO_PARENT : parentId;
    for (let row = 0; row < SEGMENT_ROWS; row++) {
      const isLeft = ids[row] !== NOBODY &&
        (includeDeleted || deleted[row] === 0) &&
        (parent === undefined || parentIds[row] === parent) &&
        // No date is in no range: NaN is neither above nor below.
        (!isDated || createDates[row]! >= from && createDates[row]! < to);
      mask[row] = Number(isLeft);
    }
  }
}
