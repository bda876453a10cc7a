/**
 * What a picture may cost, decided by its header before any of it is paid.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { JpegMarkers } from "./jpeg.ts";

export interface Size {
  /** Pixels. */
  width: number;
  height: number;
}

/**
 * Each scan of a JPEG goes over the whole picture, and costs a few bytes of the file. Cameras and
 * programs write up to 20.
 */
export const MAX_SCANS = 50;

/** @throws {Problem} `image_unreadable`, `image_too_large` */
export function refuseSize({ width, height }: Size, maxPixels: number): void {
  // Not `< 1`: a damaged header can yield no number at all.
  if (!(width >= 1 && height >= 1)) {
    throw new Problem(
      "image_unreadable",
      `picture is ${width} × ${height} pixels: at least 1 × 1 is needed`,
    );
  }
  if (width * height > maxPixels) {
    throw new Problem(
      "image_too_large",
      `picture is ${width} × ${height}, ${width * height} pixels: at most ${maxPixels} are allowed`,
    );
  }
}

/** @throws {Problem} `image_unreadable`, `image_too_large` */
export function refuseJpeg({ frame, scans }: JpegMarkers): void {
  // The decoder would say something unhelpful of it.
  if (frame !== undefined && frame.precision !== 8) {
    throw new Problem(
      "image_unreadable",
      `picture is a JPEG of ${frame.precision} bits a sample: only 8 can be decoded`,
    );
  }
  if (scans > MAX_SCANS) {
    throw new Problem(
      "image_too_large",
      `picture is a JPEG of more than ${MAX_SCANS} scans, each of which goes over all of it: ` +
        `no more are decoded`,
    );
  }
}
