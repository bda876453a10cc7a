/**
 * The directories of a TIFF (TIFF 6.0, section 2): what raw files of cameras, and EXIF blocks, are
 * made of. Only numbers and texts are read, and nothing in a damaged or hostile file makes reading
 * fail, or long: what is not there is undefined.
 *
 * @module
 */

/** Bytes of a value of each type: BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, …, IFD (TIFF 6.0, p. 15). */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

const [SHORT, LONG, RATIONAL, IFD] = [3, 4, 5, 13];

/** More directories in a row, entries in one, or numbers in an entry, are nobody's honest file. */
const MAX_DIRECTORIES = 32;
const MAX_ENTRIES = 1000;
const MAX_NUMBERS = 64;
const MAX_TEXT = 256;

interface Entry {
  type: number;
  count: number;
  /** Where its value lies. */
  at: number;
}

/** One directory: its entries by their tags. */
export class TiffDirectory {
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  readonly #entries: ReadonlyMap<number, Entry>;

  constructor(view: DataView, isLittleEndian: boolean, entries: ReadonlyMap<number, Entry>) {
    this.#view = view;
    this.#isLittleEndian = isLittleEndian;
    this.#entries = entries;
  }

  /** The first of a tag's numbers. */
  number(tag: number): number | undefined {
    return this.numbers(tag)[0];
  }

  /** All of a tag's numbers that lie in the file; none where they are of another kind. */
  numbers(tag: number): number[] {
    const { type, count, at } = this.#entries.get(tag) ?? { type: 0, count: 0, at: 0 };
    const size = SIZES[type] ?? 0;
    const numbers: number[] = [];
    for (let i = 0; i < Math.min(count, MAX_NUMBERS); i++) {
      const place = at + i * size;
      if (place + size > this.#view.byteLength) break;
      if (type === SHORT) numbers.push(this.#view.getUint16(place, this.#isLittleEndian));
      else if (type === LONG || type === IFD) numbers.push(this.#long(place));
      else if (type === RATIONAL) numbers.push(this.#long(place) / this.#long(place + 4));
    }
    return numbers;
  }

  /** A tag's text, without the NUL at its end; empty where there is none. */
  text(tag: number): string {
    const { type, count, at } = this.#entries.get(tag) ?? { type: 0, count: 0, at: 0 };
    if (SIZES[type] !== 1) return "";
    const end = Math.min(at + Math.min(count, MAX_TEXT), this.#view.byteLength);
    if (end <= at) return "";
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, end - at);
    return String.fromCharCode(...bytes).replace(/\0.*/s, "");
  }

  /** The file from where a tag's value begins; empty where there is none. */
  from(tag: number): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.#view;
    const at = Math.min(this.#entries.get(tag)?.at ?? byteLength, byteLength);
    return new Uint8Array(buffer, byteOffset + at, byteLength - at);
  }

  /** The directories that a tag's numbers say where they are. */
  children(tag: number): TiffDirectory[] {
    return this.numbers(tag)
      .map((at) => readDirectory(this.#view, this.#isLittleEndian, at)?.directory)
      .filter((directory) => directory !== undefined);
  }

  #long(place: number): number {
    return this.#view.getUint32(place, this.#isLittleEndian);
  }
}

/** @returns the directories that follow one another, from the first; none of what is no TIFF */
export function readTiff(bytes: Uint8Array): TiffDirectory[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) return [];
  const isLittleEndian = bytes[0] === 0x49;
  const order = view.getUint16(0);
  if ((order !== 0x4949 && order !== 0x4d4d) || view.getUint16(2, isLittleEndian) !== 42) return [];
  const directories: TiffDirectory[] = [];
  const met = new Set<number>([0]);
  let at = view.getUint32(4, isLittleEndian);
  while (!met.has(at) && directories.length < MAX_DIRECTORIES) {
    met.add(at);
    const read = readDirectory(view, isLittleEndian, at);
    if (read === undefined) break;
    directories.push(read.directory);
    at = read.next;
  }
  return directories;
}

function readDirectory(
  view: DataView,
  isLittleEndian: boolean,
  start: number,
): { directory: TiffDirectory; next: number } | undefined {
  if (start + 2 > view.byteLength) return undefined;
  const count = Math.min(view.getUint16(start, isLittleEndian), MAX_ENTRIES);
  const entries = new Map<number, Entry>();
  let at = start + 2;
  for (let i = 0; i < count && at + 12 <= view.byteLength; i++, at += 12) {
    const type = view.getUint16(at + 2, isLittleEndian);
    const values = view.getUint32(at + 4, isLittleEndian);
    const fits = (SIZES[type] ?? 0) * values <= 4;
    entries.set(view.getUint16(at, isLittleEndian), {
      type,
      count: values,
      at: fits ? at + 8 : view.getUint32(at + 8, isLittleEndian),
    });
  }
  const next = at + 4 <= view.byteLength ? view.getUint32(at, isLittleEndian) : 0;
  return { directory: new TiffDirectory(view, isLittleEndian, entries), next };
}
