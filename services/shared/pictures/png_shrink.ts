/**
 * Large PNGs brought near the size in which they are wanted while they are unpacked, row by row: that
 * takes a quarter of the time, and a few rows of memory where the picture would take hundreds of
 * megabytes. A JPEG's decoder can do so by itself.
 *
 * What comes out is a PNG again, with the colour profile and all else that says how its colours are
 * meant, for the one decoder that there is. [note: one reader] Whatever is unusual or damaged is left
 * to it as it is, so that it alone judges files.
 *
 * @module
 */
import { crc32, deflateSync } from "node:zlib";
import { MagickFormat } from "@imagemagick/magick-wasm";
import type { Size } from "./limits.ts";
import type { OpenedPicture } from "./picture_file.ts";

/** Below so many pixels the decoder is as fast. */
const MIN_PIXELS = 4_000_000;
/** How many pixels along a side become one, at least. */
const MIN_FACTOR = 3;

const SIGNATURE_BYTES = 8;
/** Channels by PNG's colour type: grey, RGB, grey with alpha, RGBA. The others have a palette. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };
/** Chunks that hold for the picture's own size, or for its animation, and are left out. */
const LEFT_OUT = ["IHDR", "IDAT", "IEND", "acTL", "fcTL", "fdAT", "oFFs", "pHYs", "bKGD", "hIST"];

/**
 * @param atLeast no side becomes shorter than the longer one of it
 * @returns the same picture with fewer pixels, or the one that was given
 */
export async function withFewerPixels(
  opened: OpenedPicture,
  atLeast: number,
): Promise<OpenedPicture> {
  const { source } = opened;
  if (source?.format !== MagickFormat.Png) return opened;
  if (source.width * source.height < MIN_PIXELS) return opened;
  const factor = Math.floor(Math.max(source.width, source.height) / atLeast);
  if (factor < MIN_FACTOR) return opened;
  const shrunk = await shrink(source.bytes, factor);
  return shrunk === undefined ? opened : { ...opened, source: { ...source, ...shrunk } };
}

interface Png extends Size {
  channels: number;
  colourType: number;
  /** Chunks that are kept, whole. */
  kept: Uint8Array[];
  /** The packed rows. */
  packed: Uint8Array<ArrayBuffer>[];
}

/** @returns undefined of what is damaged, or in a way that few are */
function readPng(bytes: Uint8Array): Png | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colourType, , , interlace] = bytes.subarray(24, 29);
  const channels = CHANNELS[colourType!];
  if (channels === undefined || depth !== 8 || interlace !== 0) return undefined;
  const png: Png = { width, height, channels, colourType: colourType!, kept: [], packed: [] };
  for (let at = SIGNATURE_BYTES; at < bytes.length;) {
    if (at + 12 > bytes.length) return undefined;
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) return undefined;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) return undefined;
    // A colour that stands for transparency is none any more once it is mixed with others.
    if (type === "tRNS" || type === "PLTE") return undefined;
    if (type === "IDAT") {
      png.packed.push(bytes.subarray(at + 8, end - 4) as Uint8Array<ArrayBuffer>);
    } else if (!LEFT_OUT.includes(type) && png.packed.length === 0) {
      png.kept.push(bytes.subarray(at, end));
    }
    if (type === "IEND") return png;
    at = end;
  }
  return undefined;
}

async function shrink(
  bytes: Uint8Array,
  factor: number,
): Promise<{ bytes: Uint8Array } & Size | undefined> {
  const png = readPng(bytes);
  if (png === undefined) return undefined;
  const averages = new BlockAverages(png, factor);
  try {
    const unpacked = ReadableStream.from(png.packed)
      .pipeThrough(new DecompressionStream("deflate"));
    for await (const part of unpacked) averages.add(part);
  } catch {
    return undefined;
  }
  if (!averages.isComplete) return undefined;
  return { ...averages.size, bytes: writePng(png, averages) };
}

/** Averages squares of pixels, whose colours count by how opaque they are. */
class BlockAverages {
  readonly size: Size;
  /** Rows as PNG has them: a filter of 0, then the samples. */
  readonly rows: Uint8Array<ArrayBuffer>;
  readonly #png: Png;
  /** Channels but for that of opacity. */
  readonly #colours: number;
  readonly #edges: Int32Array;
  readonly #rowEdges: Int32Array;
  readonly #sums: Float64Array;
  /** The row in the making, with its filter in front, and the one before it. */
  #row: Uint8Array<ArrayBuffer>;
  #above: Uint8Array<ArrayBuffer>;
  #filled = 0;
  #y = 0;
  #blockY = 0;
  #isBroken = false;

  constructor(png: Png, factor: number) {
    const { width, height, channels } = png;
    this.#png = png;
    this.#colours = channels === 2 || channels === 4 ? channels - 1 : channels;
    const blocks = (length: number) => Math.max(1, Math.floor(length / factor));
    this.size = { width: blocks(width), height: blocks(height) };
    this.#edges = edgesOf(width, this.size.width);
    this.#rowEdges = edgesOf(height, this.size.height);
    this.rows = new Uint8Array((1 + this.size.width * channels) * this.size.height);
    this.#sums = new Float64Array(this.size.width * channels);
    this.#row = new Uint8Array(1 + width * channels);
    this.#above = new Uint8Array(1 + width * channels);
  }

  get isComplete(): boolean {
    return !this.#isBroken && this.#y === this.#png.height && this.#filled === 0;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isBroken;) {
      const part = bytes.subarray(at, at + this.#row.length - this.#filled);
      this.#row.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#row.length) this.#endRow();
    }
  }

  #endRow(): void {
    const { height, channels } = this.#png;
    this.#filled = 0;
    if (this.#y >= height || !unfilter(this.#row, this.#above, channels)) {
      this.#isBroken = true;
      return;
    }
    this.#sum();
    this.#y++;
    const rows = this.#rowEdges;
    if (this.#y === rows[this.#blockY + 1]) this.#writeRow(this.#y - rows[this.#blockY]!);
    [this.#row, this.#above] = [this.#above, this.#row];
  }

  #sum(): void {
    const { channels } = this.#png;
    const row = this.#row;
    const sums = this.#sums;
    const edges = this.#edges;
    const colours = this.#colours;
    for (let block = 0, x = 0, at = 1; block + 1 < edges.length; block++) {
      const end = edges[block + 1]!;
      const out = block * channels;
      if (channels === 4) {
        let red = 0;
        let green = 0;
        let blue = 0;
        let alpha = 0;
        for (; x < end; x++, at += 4) {
          const opacity = row[at + 3]!;
          red += row[at]! * opacity;
          green += row[at + 1]! * opacity;
          blue += row[at + 2]! * opacity;
          alpha += opacity;
        }
        sums[out]! += red;
        sums[out + 1]! += green;
        sums[out + 2]! += blue;
        sums[out + 3]! += alpha;
      } else if (channels === 3) {
        let red = 0;
        let green = 0;
        let blue = 0;
        for (; x < end; x++, at += 3) {
          red += row[at]!;
          green += row[at + 1]!;
          blue += row[at + 2]!;
        }
        sums[out]! += red;
        sums[out + 1]! += green;
        sums[out + 2]! += blue;
      } else {
        for (; x < end; x++, at += channels) {
          const opacity = channels === 2 ? row[at + 1]! : 1;
          sums[out]! += row[at]! * opacity;
          if (channels === 2) sums[out + colours]! += opacity;
        }
      }
    }
  }

  /** Writes the row of blocks that has just been completed, of so many rows of pixels. */
  #writeRow(rowsInBlock: number): void {
    const { channels } = this.#png;
    const edges = this.#edges;
    const colours = this.#colours;
    let out = this.#blockY * (1 + this.size.width * channels) + 1;
    for (let block = 0; block < this.size.width; block++) {
      const count = rowsInBlock * (edges[block + 1]! - edges[block]!);
      const at = block * channels;
      const weight = colours < channels ? this.#sums[at + colours]! : count;
      for (let c = 0; c < channels; c++) {
        const divisor = c < colours ? weight : count;
        this.rows[out++] = divisor === 0 ? 0 : Math.round(this.#sums[at + c]! / divisor);
      }
    }
    this.#sums.fill(0);
    this.#blockY++;
  }
}

/** Where the blocks begin into which a side is parted, as equal as can be, and where the last one ends. */
function edgesOf(length: number, blocks: number): Int32Array {
  return Int32Array.from({ length: blocks + 1 }, (_, i) => Math.floor(i * length / blocks));
}

/**
 * Undoes a row's filter (PNG specification, 9.2), in its place.
 *
 * @param above the row before it, undone; zeros before the first
 * @returns false where there is no such filter
 */
function unfilter(row: Uint8Array, above: Uint8Array, channels: number): boolean {
  const filter = row[0]!;
  if (filter > 4) return false;
  if (filter === 2) {
    for (let i = 1; i < row.length; i++) row[i]! += above[i]!;
  } else if (filter !== 0) {
    // One channel after the other: what a sample is told by then stays in the processor's registers.
    for (let first = 1; first <= channels; first++) {
      if (filter === 1) undoSub(row, first, channels);
      else if (filter === 3) undoAverage(row, above, first, channels);
      else undoPaeth(row, above, first, channels);
    }
  }
  return true;
}

function undoSub(row: Uint8Array, first: number, channels: number): void {
  let left = 0;
  for (let i = first; i < row.length; i += channels) {
    left = (left + row[i]!) & 255;
    row[i] = left;
  }
}

function undoAverage(row: Uint8Array, above: Uint8Array, first: number, channels: number): void {
  let left = 0;
  for (let i = first; i < row.length; i += channels) {
    left = (row[i]! + ((left + above[i]!) >> 1)) & 255;
    row[i] = left;
  }
}

function undoPaeth(row: Uint8Array, above: Uint8Array, first: number, channels: number): void {
  let left = 0;
  let corner = 0;
  for (let i = first; i < row.length; i += channels) {
    const up = above[i]!;
    let toLeft = up - corner;
    let toUp = left - corner;
    let toCorner = toLeft + toUp;
    if (toLeft < 0) toLeft = -toLeft;
    if (toUp < 0) toUp = -toUp;
    if (toCorner < 0) toCorner = -toCorner;
    const nearest = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    left = (row[i]! + nearest) & 255;
    row[i] = left;
    corner = up;
  }
}

function writePng(png: Png, { size, rows }: BlockAverages): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, size.width);
  view.setUint32(4, size.height);
  header.set([8, png.colourType], 8);
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...png.kept,
    chunk("IDAT", deflateSync(rows, { level: 1 })),
    chunk("IEND", new Uint8Array()),
  ];
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}
