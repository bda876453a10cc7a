/** imagescript's JPEG decoder: see [note: inner files of imagescript]. */
export interface JpegPixels {
  width: number;
  height: number;
  /** 0: grey, 1: RGB, 2: CMYK, 0 meaning no ink. */
  format: number;
  /** A byte for each channel of each pixel, rows from the top. */
  buffer: Uint8Array;
}

declare const jpeg: {
  init(): Promise<{ decode(file: Uint8Array): JpegPixels }>;
};
export default jpeg;
