/**
 * Makes a thumbnail of a picture's bytes, by ImageMagick compiled to WebAssembly.
 *
 * @module
 */
import { kindOfBytes } from "@fovea/pictures/kinds";
import type { Size } from "@fovea/pictures/limits";
import { withFewerPixels } from "@fovea/pictures/png_shrink";
import { interruptible } from "@fovea/process/interruptible";
import { toCanvas, toSrgb } from "@fovea/pictures/magick";
import {
  decodePicture,
  type OpenedPicture,
  openPicture,
  runMagick,
} from "@fovea/pictures/picture_file";
import {
  AlphaAction,
  FilterType,
  type IMagickImage,
  MagickColors,
  MagickFormat,
  MagickGeometry,
  ResourceLimits,
} from "@imagemagick/magick-wasm";
import type { ThumbnailFormat, ThumbnailRequest, ThumbnailSize } from "./thumbnail.ts";

/** Quality of 1 to 100: above, files grow and nobody sees why. */
const WRITTEN: Readonly<Record<ThumbnailFormat, { format: MagickFormat; quality: number }>> = {
  webp: { format: MagickFormat.WebP, quality: 80 },
  jpeg: { format: MagickFormat.Jpeg, quality: 82 },
};

/** Bytes at once for each pixel allowed: twice what a picture takes with all that it may have. */
const MAX_BYTES_A_PIXEL = 10;

/** A picture this many times too large, along a side, is brought near its size in a cheaper way first. */
const MUCH_TOO_LARGE = 4;

/**
 * The picture as a viewer shows it (EXIF orientation applied; of an animation the first frame, of a
 * camera's raw file the preview), in sRGB, no side longer than asked for and never enlarged, and
 * without any metadata. Transparency stays in WebP, and lies over white in JPEG. Of a file that ends
 * too early it shows what is there, as browsers do.
 *
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`
 */
export async function renderThumbnail(
  bytes: Uint8Array,
  { size, format, maxPixels }: Omit<ThumbnailRequest, "path">,
): Promise<Uint8Array<ArrayBuffer>> {
  const kind = await kindOfBytes(bytes);
  const opened = await openPicture(bytes, { mimeType: kind?.mime_type, maxPixels });
  ResourceLimits.memory = BigInt(MAX_BYTES_A_PIXEL) * BigInt(maxPixels);
  const smaller = await withFewerPixels(opened, 2 * size);
  return interruptible(() => shrunk(smaller, opened.source ?? opened, size, format));
}

/** @param whole how large the picture is that `opened` may have fewer pixels of */
function shrunk(
  opened: OpenedPicture,
  whole: Size,
  size: ThumbnailSize,
  format: ThumbnailFormat,
): Uint8Array<ArrayBuffer> {
  // A JPEG may be shrunk to twice what is needed: less would cost sharpness.
  const { image } = decodePicture(opened, { width: 2 * size, height: 2 * size });
  try {
    let thumbnail: Uint8Array<ArrayBuffer> | undefined;
    runMagick(image, () => {
      toCanvas(image, opened.source!.format, MagickColors.Transparent);
      shrink(image, whole, size);
      toSrgb(image);
      if (format === "jpeg") overWhite(image);
      image.autoOrient();
      image.strip();
      const { format: written, quality } = WRITTEN[format];
      image.quality = quality;
      thumbnail = image.write(written, (bytes) => bytes.slice());
    });
    return thumbnail!;
  } finally {
    image.dispose();
  }
}

function shrink(image: IMagickImage, whole: Size, longestSide: number): void {
  const scale = longestSide / Math.max(whole.width, whole.height);
  if (scale >= 1) return;
  const resize = (times: number, filter: FilterType) => {
    const side = (length: number) => Math.max(1, Math.round(length * scale * times));
    image.resize(new MagickGeometry(`${side(whole.width)}x${side(whole.height)}!`), filter);
  };
  // Averages of whole pixels: of 50 million with transparency it takes a ninth of the time.
  if (Math.max(image.width, image.height) > MUCH_TOO_LARGE * longestSide) resize(2, FilterType.Box);
  resize(1, FilterType.Lanczos);
}

function overWhite(image: IMagickImage): void {
  image.backgroundColor = MagickColors.White;
  if (image.hasAlpha) image.alpha(AlphaAction.Remove);
}
