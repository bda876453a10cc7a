/**
 * What a picture looks like in 256 bits: whether it grows brighter from left to right, at 16 × 16
 * places. Copies in other formats and sizes differ in few of them (the "dHash" of Krawetz 2013, at
 * four times its size).
 *
 * @module
 */

/** A bit compares two neighbours: a row has one more of them than bits. */
export const HASH_COLUMNS = 17;
export const HASH_ROWS = 16;
const BITS_A_ROW = HASH_COLUMNS - 1;

/**
 * @param rgb the whole picture scaled to {@link HASH_COLUMNS} × {@link HASH_ROWS}, whatever its own
 *   shape: [16][17][3] bytes
 * @returns 32 bytes, row by row
 */
export function differenceHash(rgb: Uint8Array): Uint8Array<ArrayBuffer> {
  const hash = new Uint8Array(HASH_ROWS * BITS_A_ROW / 8);
  for (let row = 0; row < HASH_ROWS; row++) {
    for (let column = 0; column < BITS_A_ROW; column++) {
      const at = (row * HASH_COLUMNS + column) * 3;
      if (luma(rgb, at) >= luma(rgb, at + 3)) continue;
      const bit = row * BITS_A_ROW + column;
      hash[bit >> 3]! |= 0x80 >> (bit & 7);
    }
  }
  return hash;
}

/** Brightness in thousandths (ITU-R BT.601). */
function luma(rgb: Uint8Array, at: number): number {
  return 299 * rgb[at]! + 587 * rgb[at + 1]! + 114 * rgb[at + 2]!;
}

/** In how many bits two hashes differ, 0 to 256. */
export function hammingDistance(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    for (let bits = a[i]! ^ b[i]!; bits !== 0; bits &= bits - 1) count++;
  }
  return count;
}
