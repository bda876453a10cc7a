/**
 * Where a file's EXIF block is, in the formats of which ImageMagick doesn't hand it out with the
 * header alone.
 *
 * @module
 */
import { brotliDecompressSync } from "node:zlib";

/** A JPEG's segment begins with this, and some writers take it along into other formats. */
const PREFIX = "Exif\0\0";

/** @returns the block as a TIFF, without what stands before that */
export function bareExif(block: Uint8Array): Uint8Array {
  return latin(block, 0, PREFIX.length) === PREFIX ? block.subarray(PREFIX.length) : block;
}

/** A WebP has it in its chunk `EXIF` (RIFF, RFC 9649). */
export function webpExif(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    if (latin(bytes, at, 4) === "EXIF") return bytes.subarray(at + 8, at + 8 + size);
    // Chunks begin at even places.
    at += 8 + size + (size & 1);
  }
  return undefined;
}

/** More is no honest block, and is not unpacked. */
const MAX_UNPACKED_BYTES = 1024 * 1024;

/**
 * Of a JPEG XL in its container (ISO/IEC 18181-2): the box `Exif`, or `brob` where it is packed. How
 * many bytes stand in front of the block is its first number.
 */
export function jxlExif(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 12 <= bytes.length;) {
    const size = view.getUint32(at);
    const content = bytes.subarray(at + 8, size === 0 ? undefined : at + size);
    const type = latin(bytes, at + 4, 4);
    if (type === "Exif") return behindOffset(content);
    if (type === "brob" && latin(content, 0, 4) === "Exif") {
      return behindOffset(unpacked(content.subarray(4)));
    }
    // 0: up to the end. 1: the size stands in 64 bits, which no EXIF block needs.
    if (size < 8) return undefined;
    at += size;
  }
  return undefined;
}

function unpacked(bytes: Uint8Array): Uint8Array {
  try {
    return brotliDecompressSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch {
    // A picture without a readable EXIF block is a picture all the same.
    return new Uint8Array();
  }
}

function behindOffset(content: Uint8Array): Uint8Array | undefined {
  if (content.length < 4) return undefined;
  const offset = new DataView(content.buffer, content.byteOffset).getUint32(0);
  return content.subarray(4 + offset);
}

function latin(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
