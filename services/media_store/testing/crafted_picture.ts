/**
 * Pictures for tests, byte by byte: headers that say what a test needs, and no pixels.
 *
 * @module
 */
import { crc32 } from "node:zlib";

/** A PNG's header (PNG specification, 5.2 and 11.2.2). `seed` makes pictures of one size differ. */
export function craftPng(width: number, height: number, seed = 0): Uint8Array<ArrayBuffer> {
  const chunk = (type: string, content: number[]) => {
    const body = [...ascii(type), ...content];
    return [...u32(content.length), ...body, ...u32(crc32(new Uint8Array(body)))];
  };
  return new Uint8Array([
    ...[0x89, ...ascii("PNG"), 13, 10, 26, 10],
    ...chunk("IHDR", [...u32(width), ...u32(height), 8, 2, 0, 0, 0]),
    ...chunk("IDAT", u32(seed)),
    ...chunk("IEND", []),
  ]);
}

/** A JPEG's header with an EXIF block. `taken` and `offset` are as EXIF writes them. */
export function craftJpeg(
  width: number,
  height: number,
  exif: TiffFacts = {},
): Uint8Array<ArrayBuffer> {
  const segment = (marker: number, content: number[]) => [
    ...[0xff, marker],
    ...u16(content.length + 2),
    ...content,
  ];
  return new Uint8Array([
    ...[0xff, 0xd8],
    ...segment(0xe1, [...craftExif(exif)]),
    // A decoder takes no file for a picture that is shorter than any real one.
    ...segment(0xfe, new Array<number>(64).fill(0)),
    ...segment(0xc0, [8, ...u16(height), ...u16(width), 1, 1, 0x11, 0]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
    ...[0xff, 0xd9],
  ]);
}

/** An EXIF block as JPEGs have it. */
export function craftExif(exif: TiffFacts): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...ascii("Exif\0\0"), ...craftTiff(exif)]);
}

/** Tags of TIFF 6.0 and EXIF 2.32, with the number of each one's type. */
const TAGS = {
  width: [0x0100, 3],
  height: [0x0101, 3],
  bitsPerSample: [0x0102, 3],
  compression: [0x0103, 3],
  photometric: [0x0106, 3],
  stripOffsets: [0x0111, 3],
  orientation: [0x0112, 3],
  rowsPerStrip: [0x0116, 3],
  stripByteCounts: [0x0117, 3],
  exifPointer: [0x8769, 4],
  taken: [0x9003, 2],
  offset: [0x9011, 2],
} as const;

interface TiffFacts {
  width?: number;
  height?: number;
  orientation?: number;
  taken?: string;
  offset?: string;
}

/** A TIFF's header, which says where its directories begin. */
export const craftTiffHeader = (directoriesAt: number): number[] => [
  ...ascii("MM"),
  ...u16(42),
  ...u32(directoriesAt),
];

/** A TIFF without a pixel. */
const craftTiff = (facts: TiffFacts): number[] => [
  ...craftTiffHeader(8),
  ...craftTiffDirectories(facts, 8),
];

/** The directories of a TIFF, with its EXIF block. @param at where in the file they are to lie */
export function craftTiffDirectories(
  { width, height, orientation = 1, taken, offset }: TiffFacts,
  at: number,
): number[] {
  const isPicture = width !== undefined && height !== undefined;
  // Grey, in one strip that begins behind the file's header.
  const numbers: [keyof typeof TAGS, number][] = isPicture
    ? [
      ...[["width", width], ["height", height], ["bitsPerSample", 8], ["compression", 1]] as const,
      ...[["photometric", 1], ["stripOffsets", 8], ["orientation", orientation]] as const,
      ...[["rowsPerStrip", height], ["stripByteCounts", width * height]] as const,
    ].map(([tag, value]) => [tag, value])
    : [["orientation", orientation]];
  const main = numbers.map(([tag, value]) => entry(tag, 1, [...u16(value), 0, 0]));
  // Two directories (count, 12 bytes an entry, no next one), then the texts.
  const exifAt = at + 2 + (main.length + 1) * 12 + 4;
  const texts = [
    { tag: "taken" as const, text: taken },
    { tag: "offset" as const, text: offset },
  ].filter((entry) => entry.text !== undefined);
  let textAt = exifAt + 2 + texts.length * 12 + 4;
  const own = texts.map(({ tag, text }) => {
    const length = text!.length + 1;
    const bytes = entry(tag, length, u32(textAt));
    textAt += length;
    return bytes;
  });
  return [
    ...directory([...main, entry("exifPointer", 1, u32(exifAt))]),
    ...directory(own),
    ...texts.flatMap(({ text }) => [...ascii(text!), 0]),
  ];
}

const entry = (tag: keyof typeof TAGS, count: number, value: number[]) => [
  ...u16(TAGS[tag][0]),
  ...u16(TAGS[tag][1]),
  ...u32(count),
  ...value,
];

const directory = (entries: number[][]) => [...u16(entries.length), ...entries.flat(), ...u32(0)];

/** A box of ISO/IEC 14496-12. */
export const box = (type: string, ...content: number[][]): number[] => {
  const bytes = content.flat();
  return [...u32(bytes.length + 8), ...ascii(type), ...bytes];
};

/** Big-endian bytes of a whole number. */
export const u16 = (value: number): number[] => [value >> 8 & 255, value & 255];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
