/**
 * What thumbnails there are: of which pictures, how large, and in which formats.
 *
 * @module
 */
import type { MagickFormat } from "@imagemagick/magick-wasm";

/** Pixels of the longest side. A closed set, which bounds what is cached for a picture. */
export const SIZES = [64, 128, 256, 512, 1024] as const;
export type ThumbnailSize = typeof SIZES[number];

export const FORMATS = ["webp", "jpeg"] as const;
export type ThumbnailFormat = typeof FORMATS[number];

/**
 * The pictures that thumbnails are made of, and what ImageMagick calls their formats. It knows many
 * more, among them ones that read other files or run programs of their own; the format is therefore
 * named to it and never left to its guess.
 */
export const SOURCES: Readonly<Record<string, keyof typeof MagickFormat>> = {
  "image/jpeg": "Jpeg",
  "image/png": "Png",
  "image/apng": "Png",
  "image/webp": "WebP",
  "image/gif": "Gif",
  "image/avif": "Avif",
  "image/heic": "Heic",
  "image/heif": "Heic",
  "image/tiff": "Tiff",
  "image/bmp": "Bmp",
};

/** Changes whenever the bytes of a thumbnail could: what was cached before is then made anew. */
export const RECIPE = 1;

/** What a thread is to make. */
export interface ThumbnailOrder {
  /** Of the picture's file. */
  path: string;
  mimeType: string;
  size: ThumbnailSize;
  format: ThumbnailFormat;
  /** Width × height of the picture may not be more. */
  maxPixels: number;
}
