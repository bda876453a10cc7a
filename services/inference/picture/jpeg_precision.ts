/**
 * How many bits a JPEG's samples have, from its frame header: the decoder takes only 8, and says
 * something unhelpful of others.
 *
 * @module
 */

/** Start of frame is one of C0…CF, but for these: Huffman tables, an extension, arithmetic coding. */
const NO_FRAME = [0xc4, 0xc8, 0xcc];

/** @returns `undefined` where there is no frame header to be found */
export function jpegPrecision(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // Segments are a marker (FF, its kind) and a length that counts itself (ITU T.81, B.1.1.4).
  let at = 2;
  while (at + 4 < bytes.length && bytes[at] === 0xff) {
    const kind = bytes[at + 1]!;
    if (kind === 0xff) {
      // Markers may be filled up in front.
      at++;
    } else if (kind >= 0xc0 && kind <= 0xcf && !NO_FRAME.includes(kind)) {
      return bytes[at + 4];
    } else {
      at += 2 + view.getUint16(at + 2);
    }
  }
  return undefined;
}
