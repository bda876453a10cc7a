/**
 * Picture files for tests, byte by byte: kinds that no encoder at hand writes, and harmful ones.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, createDeflate, deflateSync } from "node:zlib";

/** Colour types of PNG 1.2, table 11.1, and how many samples a pixel has. */
const PNG_COLOURS = {
  grey: [0, 1],
  rgb: [2, 3],
  greyAlpha: [4, 2],
  rgba: [6, 4],
} as const;

/** A PNG in one colour; `pixel` has its samples, 0…255 with 8 bits each and 0…65535 with 16. */
export function craftPng(
  { width, height, colour = "rgb", depth = 8, pixel, chunks = [] }: {
    width: number;
    height: number;
    colour?: keyof typeof PNG_COLOURS;
    depth?: 8 | 16;
    pixel: number[];
    /** Further chunks, before the pixels: such as one of {@link iccChunk}. */
    chunks?: Uint8Array[];
  },
): Uint8Array {
  const samples = depth === 8 ? pixel : pixel.flatMap((sample) => [sample >> 8, sample & 255]);
  const row = Buffer.concat([
    Buffer.from([0]),
    ...Array.from({ length: width }, () => Buffer.from(samples)),
  ]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return pngFile(width, height, depth, PNG_COLOURS[colour][0], [
    ...chunks,
    pngChunk("IDAT", pixels),
  ]);
}

/** A PNG of black pixels that is small only as a file: its pixels are really all there. */
export async function craftBomb(width: number, height: number): Promise<Uint8Array> {
  const deflate = createDeflate({ level: 9 });
  const parts: Buffer[] = [];
  deflate.on("data", (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => deflate.on("end", resolve));
  const rows = Buffer.alloc((1 + 3 * width) * 100);
  for (let y = 0; y < height; y += 100) {
    await new Promise((resolve) => deflate.write(rows, resolve));
  }
  deflate.end();
  await ended;
  return pngFile(width, height, 8, 2, [pngChunk("IDAT", Buffer.concat(parts))]);
}

function pngFile(
  width: number,
  height: number,
  depth: number,
  colour: number,
  chunks: Uint8Array[],
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    ...chunks,
    pngChunk("IEND", new Uint8Array()),
  ]);
}

/** A chunk of a PNG, with its checksum. */
export function pngChunk(type: string, content: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  return Buffer.concat([u32be(content.length), body, u32be(crc32(body))]);
}

/** A PNG's chunk for a colour profile. */
export function iccChunk(profile: Uint8Array): Uint8Array {
  return pngChunk("iCCP", Buffer.concat([Buffer.from("x\0\0"), deflateSync(profile)]));
}

/**
 * A GIF of one red frame that lies somewhere on a canvas, whose rest is transparent. Pixels are there
 * for a frame of 8 × 8, whatever its header says.
 */
export function craftGif(
  canvas: { width: number; height: number },
  { x, y, width = 8, height = 8 }: { x: number; y: number; width?: number; height?: number },
): Uint8Array {
  return Buffer.concat([
    Buffer.from("GIF89a", "latin1"),
    Buffer.from([...u16le(canvas.width), ...u16le(canvas.height), 0x80, 0, 0]),
    Buffer.from([0, 0, 255, 255, 0, 0]),
    Buffer.from([0x2c, ...u16le(x), ...u16le(y), ...u16le(width), ...u16le(height), 0]),
    // Codes of 3 bits, the table cleared (4) after every two pixels (1, 1), which keeps them that short.
    lzw(Array.from({ length: 32 }, () => [4, 1, 1]).flat().concat(5)),
    Buffer.from([0x3b]),
  ]);
}

function lzw(codes: number[]): Uint8Array {
  const bits = codes.flatMap((code) => [code & 1, code >> 1 & 1, code >> 2 & 1]);
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => bytes[i >> 3]! |= bit << (i & 7));
  return Buffer.from([2, bytes.length, ...bytes, 0]);
}

/** A TIFF whose directory has these entries (each a tag and a LONG) and points back to itself. */
export function craftLoopingTiff(entries: [tag: number, value: number][], pixels = 0): Uint8Array {
  return Buffer.concat([
    Buffer.from([0x49, 0x49, 42, 0, ...u32le(8), ...u16le(entries.length)]),
    ...entries.map(([tag, value]) =>
      Buffer.from([...u16le(tag), ...u16le(4), ...u32le(1), ...u32le(value)])
    ),
    Buffer.from(u32le(8)),
    Buffer.alloc(pixels, 128),
  ]);
}

/** An EXIF block: big-endian entries of a tag, a type, a count and a value, then the next directory. */
export function craftExif(
  entries: [tag: number, type: number, count: number, value: number][],
  { claims = entries.length, next = 0 } = {},
): Uint8Array {
  return Buffer.concat([
    Buffer.from("Exif\0\0MM\0*\0\0\0\x08", "latin1"),
    u32be(claims).subarray(2),
    ...entries.map(([tag, type, count, value]) =>
      Buffer.concat([
        u32be(tag * 65536 + type),
        u32be(count),
        // A SHORT lies in the first two of the value's four bytes.
        u32be(type === 3 ? value * 65536 : value),
      ])
    ),
    u32be(next),
  ]);
}

/** A JPEG with one more segment, in front of all others. */
export function withSegment(jpeg: Uint8Array, marker: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([0xff, marker]),
    u32be(content.length + 2).subarray(2),
    content,
    jpeg.subarray(2),
  ]);
}

/** What a JPEG's segment for a colour profile (marker E2) has in it. */
export function iccSegment(profile: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from("ICC_PROFILE\0\x01\x01", "latin1"), profile]);
}

function u32be(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u32le(value: number): number[] {
  return [...u32be(value)].reverse();
}

function u16le(value: number): number[] {
  return [value & 255, value >> 8];
}
