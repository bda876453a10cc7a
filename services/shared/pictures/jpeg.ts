/**
 * A JPEG's markers (ITU T.81, B.1), read without decoding: what its frame is, how often a decoder
 * would have to go over it, and whether its end is there.
 *
 * @module
 */

export interface JpegMarkers {
  /** Undefined where there is no frame header. */
  frame: {
    /** Pixels, before the picture is turned. */
    width: number;
    height: number;
    /** Bits of a sample. */
    precision: number;
    /** True where the pixels can be had back from blocks of 8 × 8: not so in a camera's raw data. */
    isDct: boolean;
  } | undefined;
  /** Each goes over all of the picture, however few bytes it has. Counted up to the limit and one more. */
  scans: number;
  /** False where the marker for the end of the picture is missing, which viewers don't mind. */
  hasEnd: boolean;
}

const END = 0xd9;
const SCAN = 0xda;

/** Start of frame is one of C0…CF, but for these: Huffman tables, an extension, arithmetic coding. */
const NO_FRAME = [0xc4, 0xc8, 0xcc];
/** Baseline, extended, progressive; the same by arithmetic coding. Others are lossless or of levels. */
const DCT_FRAMES = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];

/** @param maxScans counting ends there: more are one as bad as the other */
export function readJpegMarkers(bytes: Uint8Array, maxScans: number): JpegMarkers {
  const found: JpegMarkers = { frame: undefined, scans: 0, hasEnd: false };
  // Whatever lies between a segment's end and the next FF is passed over, as decoders do it: stray
  // bytes as well as a scan's pixels.
  let at = bytes.indexOf(0xff, 2);
  while (at >= 0 && at + 1 < bytes.length && found.scans <= maxScans) {
    const marker = bytes[at + 1]!;
    if (marker === END) {
      found.hasEnd = true;
      break;
    }
    at += standsAlone(marker) ? 1 : 2 + readSegment(bytes, at + 2, marker, found);
    at = bytes.indexOf(0xff, at);
  }
  return found;
}

/** A stuffed FF of pixels, a filled one, a restart, the start of a picture: nothing follows that belongs to it. */
function standsAlone(marker: number): boolean {
  return marker <= 0x01 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd8);
}

/** @returns how long it is */
function readSegment(
  bytes: Uint8Array,
  at: number,
  marker: number,
  found: JpegMarkers,
): number {
  const u16 = (offset: number) => (bytes[at + offset] ?? 0) * 256 + (bytes[at + offset + 1] ?? 0);
  if (marker === SCAN) found.scans++;
  if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.includes(marker)) {
    found.frame ??= {
      width: u16(5),
      height: u16(3),
      precision: bytes[at + 2] ?? 0,
      isDct: DCT_FRAMES.includes(marker),
    };
  }
  return u16(0);
}
