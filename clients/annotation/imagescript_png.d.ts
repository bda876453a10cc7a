/** imagescript's PNG decoder: see [note: inner files of imagescript]. */
export interface PngPixels {
  width: number;
  height: number;
  /** Red, green, blue, opacity of each pixel, rows from the top. */
  framebuffer: Uint8Array;
}

declare const png: {
  init(): Promise<{ decode(file: Uint8Array): PngPixels }>;
};
export default png;
