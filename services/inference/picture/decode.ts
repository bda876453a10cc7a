/**
 * From the bytes of a picture file to pixels, by ImageMagick compiled to WebAssembly.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import {
  AlphaAction,
  ColorSpace,
  FilterType,
  type IMagickImage,
  initializeImageMagick,
  MagickColors,
  type MagickError,
  MagickFormat,
  MagickGeometry,
  MagickImage,
  MagickImageInfo,
  MagickReadSettings,
} from "@imagemagick/magick-wasm";
import { fileTypeFromBuffer } from "file-type";

/**
 * The formats taken. ImageMagick knows many more, among them ones that read other files or run
 * programs of their own; the format is therefore named to it and never left to its guess.
 */
const FORMATS: Readonly<Record<string, MagickFormat>> = {
  "image/jpeg": MagickFormat.Jpeg,
  "image/png": MagickFormat.Png,
  "image/apng": MagickFormat.Png,
  "image/webp": MagickFormat.WebP,
  "image/gif": MagickFormat.Gif,
  "image/avif": MagickFormat.Avif,
  "image/heic": MagickFormat.Heic,
  "image/heif": MagickFormat.Heic,
  "image/tiff": MagickFormat.Tiff,
  "image/bmp": MagickFormat.Bmp,
};

/** The side of one JPEG block: below it there is nothing that a network could see. */
const MIN_SIDE = 8;

/** A rectangle of a picture, whole pixels. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A decoded picture: as a viewer shows it (EXIF orientation applied), in sRGB, transparency over white. */
export class Picture implements Disposable {
  readonly #image: IMagickImage;
  readonly width: number;
  readonly height: number;

  constructor(image: IMagickImage) {
    this.#image = image;
    this.width = image.width;
    this.height = image.height;
  }

  /**
   * A region, scaled to a size by the Catmull-Rom filter (bicubic with a = -0.5), which widens when
   * it shrinks: what Pillow and CLIP's authors call antialiased bicubic. For face detection it is a
   * little better than bilinear, which shows UltraFace a second face over the astronaut.
   *
   * @returns height × width × 3 bytes, RGB
   */
  sample(region: Region, width: number, height: number): Uint8Array {
    return this.#image.clone((part) => {
      part.crop(new MagickGeometry(region.x, region.y, region.width, region.height));
      part.resetPage();
      if (region.width !== width || region.height !== height) {
        const size = new MagickGeometry(width, height);
        size.ignoreAspectRatio = true;
        part.filterType = FilterType.Catrom;
        part.resize(size);
      }
      return part.getPixels((pixels) => {
        const rgb = pixels.toByteArray(0, 0, width, height, "RGB");
        if (rgb === null) throw new Error(`ImageMagick gave no pixels for ${width} × ${height}`);
        return rgb;
      });
    });
  }

  [Symbol.dispose](): void {
    this.#image.dispose();
  }
}

let initialized: Promise<void> | undefined;

/** Makes the decoder ready; called by everything that decodes, does its work once per thread. */
function initialize(): Promise<void> {
  return initialized ??= Deno.readFile(
    new URL(import.meta.resolve("@imagemagick/magick-wasm/magick.wasm")),
  ).then(initializeImageMagick);
}

/**
 * Decodes a picture file: JPEG, PNG, WebP, GIF (first frame), AVIF, HEIC, TIFF (first page), BMP.
 *
 * @param maxPixels width × height above which the picture is refused, by its header alone
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`, `image_too_small`
 */
export async function decode(bytes: Uint8Array, maxPixels: number): Promise<Picture> {
  const settings = new MagickReadSettings({ frameIndex: 0, frameCount: 1 });
  settings.format = await formatOf(bytes);
  await initialize();

  const header = attempt(() => MagickImageInfo.create(bytes, settings));
  const pixels = header.width * header.height;
  if (pixels > maxPixels) {
    throw new Problem(
      "image_too_large",
      `picture is ${header.width} × ${header.height}, ${pixels} pixels: at most ${maxPixels} are allowed`,
    );
  }
  if (Math.min(header.width, header.height) < MIN_SIDE) {
    throw new Problem(
      "image_too_small",
      `picture is ${header.width} × ${header.height} pixels: at least ${MIN_SIDE} × ${MIN_SIDE} are needed`,
    );
  }

  const image = MagickImage.create();
  let cutOff = false;
  image.onWarning = ({ error }) => {
    // Other warnings (stray bytes, odd metadata) leave a picture that viewers show as well.
    if (/premature end of jpeg file/i.test(error.message)) cutOff = true;
  };
  try {
    attempt(() => image.read(bytes, settings));
    if (cutOff) throw truncated();
    image.autoOrient();
    // A PNG may say where on a larger page it belongs: viewers don't care, cropping would.
    image.resetPage();
    if (image.colorSpace !== ColorSpace.sRGB) image.colorSpace = ColorSpace.sRGB;
    if (image.hasAlpha) {
      image.backgroundColor = MagickColors.White;
      image.alpha(AlphaAction.Remove);
    }
    return new Picture(image);
  } catch (error) {
    image.dispose();
    throw error;
  }
}

async function formatOf(bytes: Uint8Array): Promise<MagickFormat> {
  const mime = (await fileTypeFromBuffer(bytes))?.mime;
  const format = mime === undefined ? undefined : FORMATS[mime];
  if (format !== undefined) return format;
  const known = Object.keys(FORMATS).map((name) => name.replace("image/", "")).join(", ");
  throw new Problem(
    "image_unreadable",
    `file is ${mime ?? "of no known type"}, not a picture that can be read: ${known} can`,
  );
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    // Messages of ImageMagick end in the place of its source where they arose.
    const said = (error as MagickError).message.replace(/\s*`?' @ .*$/, "");
    if (/unexpected\s?end|insufficient|premature|truncated|end of file/i.test(said)) {
      throw truncated();
    }
    throw new Problem("image_unreadable", `picture can't be decoded: ${said}`);
  }
}

function truncated(): Problem {
  return new Problem("image_truncated", "picture ends too early: part of the file is missing");
}
