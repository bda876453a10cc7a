/**
 * Which picture of a Windows icon is shown: the largest, and of those as large the one with the most
 * colours.
 *
 * @module
 */

/** @returns its place among the icon's pictures, from 0 */
export function largestIcon(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A directory of 6 bytes, then 16 for each picture.
  const count = bytes.length < 6 ? 0 : view.getUint16(4, true);
  let best = { place: 0, rank: -1 };
  for (let place = 0; place < count && 6 + 16 * (place + 1) <= bytes.length; place++) {
    const at = 6 + 16 * place;
    // 0 stands for 256.
    const side = (offset: number) => bytes[at + offset] || 256;
    const rank = side(0) * side(1) * 256 + view.getUint16(at + 6, true);
    if (rank > best.rank) best = { place, rank };
  }
  return best.place;
}
