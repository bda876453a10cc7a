/**
 * What thumbnails there are: of which pictures, how large, and in which formats.
 *
 * @module
 */
/** Pixels of the longest side. A closed set, which bounds what is cached for a picture. */
export const SIZES = [64, 128, 256, 512, 1024] as const;
export type ThumbnailSize = typeof SIZES[number];

export const FORMATS = ["webp", "jpeg"] as const;
export type ThumbnailFormat = typeof FORMATS[number];

/** Changes whenever the bytes of a thumbnail could: what was cached before is then made anew. */
export const RENDER_VERSION = 3;

/** What a thread is to make. */
export interface ThumbnailRequest {
  /** Path of the picture's file. */
  path: string;
  size: ThumbnailSize;
  format: ThumbnailFormat;
  /** Width × height of the picture may not be more. */
  maxPixels: number;
}
