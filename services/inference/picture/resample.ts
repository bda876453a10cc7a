/**
 * Scaling by antialiased bicubic, to the same bytes as Pillow, whose resize is the reference for
 * CLIP's preprocessing.
 *
 * @module
 */

/** A rectangle of a picture, in its pixels; it need not begin or end between two of them. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where pixels are read from, a few rows at a time, so that a large picture is not copied whole. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** Bytes of a pixel; red, green and blue are the first three. */
  readonly channels: number;
  /** @returns height × width × channels bytes */
  read(x: number, y: number, width: number, height: number): Uint8Array;
}

/** Bytes read at once: few enough to stay in the processor's cache. */
const STRIP_BYTES = 1 << 20;

/** Weights are whole numbers, this many to one: the sum of a pixel's products still fits 32 bits. */
const ONE_BITS = 22;
const HALF = 1 << (ONE_BITS - 1);

/** How far the cubic reaches to either side, in pixels of the smaller picture. */
const REACH = 2;

/**
 * Scales a region to a size. The filter is the cubic convolution of Keys (1981) with a = -0.5; where
 * the region shrinks it widens by as much, so that every pixel counts. As with Pillow's `box`, pixels
 * around the region, where there are any, count at its edges. Bytes are rounded after either pass, as
 * Pillow does.
 *
 * @param region at least partly inside the raster
 * @returns height × width × 3 bytes, RGB
 */
export function resample(
  raster: Raster,
  region: Region,
  width: number,
  height: number,
): Uint8Array {
  const across = tapsOf(region.x, region.width, width, raster.width);
  const down = tapsOf(region.y, region.height, height, raster.height);
  const { from: left, to: right } = span(across);
  const { from: top, to: bottom } = span(down);

  const narrowed = new Uint8ClampedArray((bottom - top) * width * 3);
  const stride = (right - left) * raster.channels;
  const rows = Math.max(1, Math.floor(STRIP_BYTES / stride));
  for (let y = top; y < bottom; y += rows) {
    const count = Math.min(rows, bottom - y);
    const strip = raster.read(left, y, right - left, count);
    const part = narrowed.subarray((y - top) * width * 3, (y - top + count) * width * 3);
    scaleRows(strip, stride, raster.channels, left, across, part);
  }
  return scaleColumns(narrowed, width * 3, top, down);
}

/** Which pixels of a line make up each pixel of the scaled line, and how much each counts. */
interface Taps {
  /** First pixel, for each scaled one. */
  first: Int32Array;
  count: Int32Array;
  /** `most` places for each scaled pixel, of which its count is used. */
  weights: Int32Array;
  most: number;
}

/**
 * @param start where the line's part to be scaled begins, and `length` how long it is, pixels
 * @param size pixels it is scaled to
 * @param end pixels the whole line has
 */
function tapsOf(start: number, length: number, size: number, end: number): Taps {
  const scale = length / size;
  const stretch = Math.max(1, scale);
  const most = 2 * Math.ceil(REACH * stretch) + 1;
  const first = new Int32Array(size);
  const count = new Int32Array(size);
  const weights = new Int32Array(size * most);
  const exact = new Float64Array(most);
  for (let i = 0; i < size; i++) {
    const centre = start + (i + 0.5) * scale;
    const from = Math.max(0, Math.floor(centre - REACH * stretch + 0.5));
    const to = Math.min(end, Math.floor(centre + REACH * stretch + 0.5));
    let sum = 0;
    for (let k = from; k < to; k++) {
      sum += exact[k - from] = cubic((k + 0.5 - centre) / stretch);
    }
    for (let k = 0; k < to - from; k++) {
      weights[i * most + k] = Math.round(exact[k]! / sum * (1 << ONE_BITS));
    }
    first[i] = from;
    count[i] = to - from;
  }
  return { first, count, weights, most };
}

/** Keys's cubic, a = -0.5: 1 at 0, 0 from 2 on. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** The pixels of a line that count at all. */
function span({ first, count }: Taps): { from: number; to: number } {
  const last = first.length - 1;
  return { from: first[0]!, to: first[last]! + count[last]! };
}

/** Scales each row of a strip whose rows begin at the picture's column `left`. */
function scaleRows(
  strip: Uint8Array,
  stride: number,
  channels: number,
  left: number,
  { first, count, weights, most }: Taps,
  into: Uint8ClampedArray,
): void {
  let at = 0;
  for (let row = 0; at < into.length; row += stride) {
    for (let x = 0; x < first.length; x++) {
      let pixel = row + (first[x]! - left) * channels;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const end = x * most + count[x]!;
      for (let k = x * most; k < end; k++) {
        const weight = weights[k]!;
        // Kept to 32 bits: several times faster than letting them become floats.
        red = red + Math.imul(weight, strip[pixel]!) | 0;
        green = green + Math.imul(weight, strip[pixel + 1]!) | 0;
        blue = blue + Math.imul(weight, strip[pixel + 2]!) | 0;
        pixel += channels;
      }
      into[at++] = red >> ONE_BITS;
      into[at++] = green >> ONE_BITS;
      into[at++] = blue >> ONE_BITS;
    }
  }
}

/** Scales the columns of rows of `stride` bytes, of which the first is the picture's row `top`. */
function scaleColumns(
  rows: Uint8ClampedArray,
  stride: number,
  top: number,
  { first, count, weights, most }: Taps,
): Uint8Array {
  const scaled = new Uint8ClampedArray(first.length * stride);
  const sums = new Int32Array(stride);
  for (let y = 0; y < first.length; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * most + k]!;
      const row = (first[y]! + k - top) * stride;
      for (let i = 0; i < stride; i++) sums[i]! += Math.imul(weight, rows[row + i]!);
    }
    for (let i = 0; i < stride; i++) scaled[y * stride + i] = sums[i]! >> ONE_BITS;
  }
  return new Uint8Array(scaled.buffer);
}
