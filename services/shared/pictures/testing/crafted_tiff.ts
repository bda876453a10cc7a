/**
 * TIFFs for tests, entry by entry: EXIF blocks, pictures that no encoder at hand writes, and raw
 * files as cameras make them.
 *
 * @module
 */

/** What an entry has: SHORTs, LONGs, a text, bytes that lie elsewhere in the file, bytes of no type, or directories. */
export type TiffValue =
  | { shorts: number[] }
  | { longs: number[] }
  | { text: string }
  | { bytesAt: Uint8Array }
  | { undefined: Uint8Array }
  | { directories: TiffEntries[] };

/** Values by their tags, which a TIFF has in ascending order. */
export type TiffEntries = Readonly<Record<number, TiffValue>>;

/** @param pages its directories, one after the other, the first behind the header; little-endian */
export function craftTiff(...pages: TiffEntries[]): Uint8Array<ArrayBuffer> {
  return craftMarkedTiff([], ...pages);
}

/** @param mark bytes that some cameras put between the header and the first directory */
export function craftMarkedTiff(
  mark: number[],
  ...pages: TiffEntries[]
): Uint8Array<ArrayBuffer> {
  const out = [0x49, 0x49, 42, 0, 0, 0, 0, 0, ...mark];
  let link = 4;
  for (const page of pages) {
    const { start, next } = writeDirectory(out, page);
    put(out, link, u32(start));
    link = next;
  }
  return new Uint8Array(out);
}

function writeDirectory(out: number[], entries: TiffEntries): { start: number; next: number } {
  const list = Object.entries(entries);
  const start = append(out, new Array<number>(2 + 12 * list.length + 4).fill(0));
  put(out, start, u16(list.length));
  list.forEach(([tag, value], i) => {
    const { type, count, bytes } = encode(out, value);
    const at = bytes.length <= 4 ? [...bytes, 0, 0, 0, 0].slice(0, 4) : u32(append(out, bytes));
    put(out, start + 2 + 12 * i, [...u16(Number(tag)), ...u16(type), ...u32(count), ...at]);
  });
  return { start, next: start + 2 + 12 * list.length };
}

function put(out: number[], at: number, bytes: number[]): void {
  bytes.forEach((byte, i) => out[at + i] = byte);
}

function encode(
  out: number[],
  value: TiffValue,
): { type: number; count: number; bytes: number[] } {
  if ("shorts" in value) {
    return { type: 3, count: value.shorts.length, bytes: value.shorts.flatMap(u16) };
  }
  if ("undefined" in value) {
    return { type: 7, count: value.undefined.length, bytes: [...value.undefined] };
  }
  if ("text" in value) {
    const bytes = [...new TextEncoder().encode(`${value.text}\0`)];
    return { type: 2, count: bytes.length, bytes };
  }
  const longs = "longs" in value
    ? value.longs
    : "bytesAt" in value
    ? [append(out, value.bytesAt)]
    : value.directories.map((directory) => writeDirectory(out, directory).start);
  return { type: 4, count: longs.length, bytes: longs.flatMap(u32) };
}

/** @returns where it begins: at an even place, as TIFF wants it */
function append(out: number[], bytes: Iterable<number>): number {
  if (out.length % 2 === 1) out.push(0);
  const at = out.length;
  for (const byte of bytes) out.push(byte);
  return at;
}

const u16 = (value: number) => [value & 255, value >> 8 & 255];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
