/**
 * From the bytes of a picture file to pixels, by ImageMagick compiled to WebAssembly.
 *
 * @module
 */
import { kindOfBytes } from "@fovea/pictures/kinds";
import type { Size } from "@fovea/pictures/limits";
import { toCanvas, toSrgb } from "@fovea/pictures/magick";
import {
  cutOff,
  decodePicture,
  type OpenedPicture,
  openPicture,
} from "@fovea/pictures/picture_file";
import { Problem } from "@fovea/contract";
import {
  AlphaAction,
  type IMagickImage,
  MagickColors,
  MagickFormat,
} from "@imagemagick/magick-wasm";
import { type Region, resample } from "./resample.ts";

export type { Region };

/** The side of one JPEG block: below it there is nothing that a network could see. */
const MIN_SIDE = 8;

/** How much of a picture somebody needs: with its shorter side this long, it may be decoded shrunk. */
export interface MinSize {
  side: number;
}

/** A decoded picture: as a viewer shows it (EXIF orientation applied), in sRGB, transparency over white. */
export class Picture implements Disposable {
  readonly #image: IMagickImage;
  readonly #shrink: number | undefined;
  readonly width: number;
  readonly height: number;

  /**
   * @param image shows all of the picture, and has fewer pixels where it was decoded shrunk, or is a
   *   preview
   * @param size of the picture itself, pixels
   * @param shrink how many of its pixels one pixel of `image` stands for, along a side, where that is
   *   known: the last one may stand for fewer
   */
  constructor(image: IMagickImage, size: Size, shrink?: number) {
    this.#image = image;
    this.#shrink = shrink;
    this.width = size.width;
    this.height = size.height;
  }

  /**
   * A region, scaled to a size by antialiased bicubic, see {@link resample}. For face detection it
   * is a little better than bilinear, which shows UltraFace a second face over the astronaut.
   *
   * @param region in the picture's pixels, also where it was decoded shrunk
   * @returns height × width × 3 bytes, RGB
   */
  sample(region: Region, width: number, height: number): Uint8Array {
    const image = this.#image;
    const across = this.#shrink ?? this.width / image.width;
    const down = this.#shrink ?? this.height / image.height;
    const part = {
      x: region.x / across,
      y: region.y / down,
      width: region.width / across,
      height: region.height / down,
    };
    return image.getPixels((pixels) => {
      const raster = {
        width: image.width,
        height: image.height,
        channels: image.channelCount,
        read: pixels.getArea.bind(pixels),
      };
      return resample(raster, part, width, height);
    });
  }

  [Symbol.dispose](): void {
    this.#image.dispose();
  }
}

/**
 * Decodes a picture file, of any kind that can be opened: of an animation the first frame on its
 * canvas, of several pages the first, of a camera's raw file the preview.
 *
 * @param maxPixels width × height above which the picture is refused, by its header alone
 * @param minSize lets a larger JPEG be shrunk while it is decoded, which takes a third of the time or
 *   less; without it every pixel is decoded
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`, `image_too_small`
 */
export async function decode(
  bytes: Uint8Array,
  maxPixels: number,
  minSize?: MinSize,
): Promise<Picture> {
  const kind = await kindOfBytes(bytes);
  const opened = await openPicture(bytes, { mimeType: kind?.mime_type, maxPixels });
  refuseThin(opened);
  const shrink = minSize && shrinkTo(opened, minSize);
  const { image, warnings } = decodePicture(
    opened,
    shrink === undefined ? undefined : shrunk(opened, shrink),
  );
  try {
    if (warnings.isCutOff) throw cutOff();
    toSrgb(image);
    image.backgroundColor = MagickColors.White;
    if (image.hasAlpha) image.alpha(AlphaAction.Remove);
    toCanvas(image, opened.source!.format, MagickColors.White);
    image.autoOrient();
    return new Picture(image, opened, opened.isPreview ? undefined : shrink);
  } catch (error) {
    image.dispose();
    throw error;
  }
}

function refuseThin({ width, height }: Size): void {
  if (Math.min(width, height) >= MIN_SIDE) return;
  throw new Problem(
    "image_too_small",
    `picture is ${width} × ${height} pixels: at least ${MIN_SIDE} × ${MIN_SIDE} are needed`,
  );
}

/** JPEG's own transform can be undone at a half, a quarter or an eighth of the size. */
function shrinkTo({ source }: OpenedPicture, { side }: MinSize): number | undefined {
  if (source?.format !== MagickFormat.Jpeg) return undefined;
  const shorter = Math.min(source.width, source.height);
  return [8, 4, 2].find((shrink) => shorter / shrink >= side);
}

function shrunk({ source }: OpenedPicture, shrink: number): Size | undefined {
  return source && {
    width: Math.floor(source.width / shrink),
    height: Math.floor(source.height / shrink),
  };
}
