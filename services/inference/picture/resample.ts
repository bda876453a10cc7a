/**
 * Scaling by antialiased bicubic, to the same bytes as Pillow, whose resize is the reference for
 * CLIP's preprocessing.
 *
 * @module
 */
import { ONE, scale, type Taps } from "./resample_kernels.ts";

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
  return scale(
    across,
    down,
    raster.channels,
    STRIP_BYTES,
    (y, rows) => raster.read(across.from, y, across.to - across.from, rows),
  );
}

/**
 * @param start where the line's part to be scaled begins, and `length` how long it is, pixels
 * @param size pixels it is scaled to
 * @param end pixels the whole line has
 */
function tapsOf(start: number, length: number, size: number, end: number): Taps {
  const scale = length / size;
  const stretch = Math.max(1, scale);
  const reach = REACH * stretch;
  const most = 2 * Math.ceil(reach) + 1;
  const first = new Int32Array(size);
  const count = new Int32Array(size);
  const weights = new Int32Array(size * most);
  const exact = new Float64Array(most);
  for (let i = 0; i < size; i++) {
    const centre = start + (i + 0.5) * scale;
    const from = Math.max(0, Math.floor(centre - reach + 0.5));
    const to = Math.min(end, Math.floor(centre + reach + 0.5));
    let sum = 0;
    for (let k = from; k < to; k++) sum += exact[k - from] = cubic((k + 0.5 - centre) / stretch);
    for (let k = 0; k < to - from; k++) {
      weights[i * most + k] = Math.round(exact[k]! / sum * ONE);
    }
    first[i] = from;
    count[i] = to - from;
  }
  const from = first[0]!;
  const to = first[size - 1]! + count[size - 1]!;
  return { from, to, first: first.map((pixel) => pixel - from), count, weights, most };
}

/** Keys's cubic, a = -0.5: 1 at 0, 0 from 2 on. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
