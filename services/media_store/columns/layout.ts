/**
 * The whole library as columns: one typed array for each member of entities, so that a page can hold
 * half a million of them and lay them out without half a million objects.
 *
 * An answer is a header in JSON, and the columns behind it, little endian:
 *
 * 1. uint32: the length of the header in bytes
 * 2. the header, with blanks at its end
 * 3. the columns, where the header's offsets say; each begins at a multiple of 8 bytes of the answer,
 *    so that a typed array can be laid over it
 *
 * @module
 */
import { type ColumnsHeader, MEDIA_TYPES } from "@fovea/contract";

/** What a column is made of. `type` is a name of `TypedArray`s in small letters. */
interface ColumnKind {
  type: ColumnsHeader["columns"][number]["type"];
  /** @param value as the database has it */
  encode(value: unknown): number;
}

/** Ids, pixels and versions; 0 is none. SQLite gives ids from 1 upwards, one after the other. */
const WHOLE: ColumnKind = { type: "uint32", encode: (value) => value as number | null ?? 0 };
/** Milliseconds since the epoch, bytes and seconds; NaN is none. */
const NUMBER: ColumnKind = { type: "float64", encode: (value) => value as number | null ?? NaN };
const FLAG: ColumnKind = { type: "uint8", encode: (value) => value as number | null ?? 0 };
/** 0 is none, 1 the first media type. */
const MEDIA_TYPE: ColumnKind = {
  type: "uint8",
  encode: (value) => (MEDIA_TYPES as readonly unknown[]).indexOf(value) + 1,
};

/** The members that can be columns. */
export const COLUMNS = {
  id: WHOLE,
  width: WHOLE,
  height: WHOLE,
  parent_id: WHOLE,
  version: WHOLE,
  create_date: NUMBER,
  added_date: NUMBER,
  updated_date: NUMBER,
  file_size: NUMBER,
  duration: NUMBER,
  type: MEDIA_TYPE,
  is_collection: FLAG,
  is_deleted: FLAG,
} as const satisfies Record<string, ColumnKind>;

export type ColumnName = keyof typeof COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];

const ARRAYS = { uint8: Uint8Array, uint32: Uint32Array, float64: Float64Array };

/** Columns that grow row by row. */
export class ColumnsBuilder {
  readonly #names: readonly ColumnName[];
  readonly #columns: number[][];

  constructor(names: readonly ColumnName[]) {
    this.#names = names;
    this.#columns = names.map(() => []);
  }

  add(row: Partial<Record<ColumnName, unknown>>): void {
    this.#names.forEach((name, i) => this.#columns[i]!.push(COLUMNS[name].encode(row[name])));
  }

  /** @returns the bytes of an answer, as the head of this module has them */
  bytes(position: ColumnsHeader["position"]): Uint8Array<ArrayBuffer> {
    const arrays = this.#names.map((name, i) => ARRAYS[COLUMNS[name].type].from(this.#columns[i]!));
    let end = 0;
    const columns = this.#names.map((name, i) => {
      const { type } = COLUMNS[name];
      const offset = end;
      end = aligned(end + arrays[i]!.byteLength);
      return { name, type, offset };
    });
    const rows = this.#columns[0]?.length ?? 0;
    const header: ColumnsHeader = { rows, position, media_types: MEDIA_TYPES, columns };
    const text = new TextEncoder().encode(JSON.stringify(header));
    const start = aligned(4 + text.length);
    const bytes = new Uint8Array(start + end).fill(0x20, 0, start);
    new DataView(bytes.buffer).setUint32(0, start - 4, true);
    bytes.set(text, 4);
    arrays.forEach((array, i) => {
      bytes.set(new Uint8Array(array.buffer), start + columns[i]!.offset);
    });
    return bytes;
  }
}

/** The next multiple of 8. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
