/**
 * Files that lack only their last marker: every pixel is there, and viewers show them, but a decoder
 * that is strict about the end fails. The marker is put back.
 *
 * @module
 */
import type { JpegMarkers } from "./jpeg.ts";

const JPEG_END = [0xff, 0xd9];

/** An empty chunk IEND, with its checksum (PNG specification, 11.2.5). */
const PNG_END = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

/** @returns the bytes themselves where nothing is missing */
export function restoreJpegEnd(bytes: Uint8Array, { hasEnd, scans }: JpegMarkers): Uint8Array {
  return hasEnd || scans === 0 ? bytes : joined(bytes, JPEG_END);
}

/** @returns the bytes themselves where nothing is missing, or pixels are */
export function restorePngEnd(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hasPixels = false;
  let at = 8;
  while (at + 8 <= bytes.length) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + view.getUint32(at);
    if (type === "IEND" && end <= bytes.length) return bytes;
    if (type === "IDAT") hasPixels = true;
    if (end > bytes.length) {
      if (type === "IDAT") return bytes;
      break;
    }
    at = end;
  }
  return hasPixels ? joined(bytes.subarray(0, at), PNG_END) : bytes;
}

function joined(bytes: Uint8Array, end: number[]): Uint8Array {
  const whole = new Uint8Array(bytes.length + end.length);
  whole.set(bytes);
  whole.set(end, bytes.length);
  return whole;
}
