/**
 * From the bytes of a picture file to pixels, by ImageMagick compiled to WebAssembly.
 *
 * @module
 */
import { canvasOf, loadMagick, toSrgb } from "@fovea/pictures/magick";
import { Problem } from "@fovea/contract";
import {
  AlphaAction,
  type IMagickImage,
  MagickColors,
  MagickError,
  MagickFormat,
  MagickGeometry,
  MagickImage,
  MagickReadSettings,
  Orientation,
} from "@imagemagick/magick-wasm";
import { fileTypeFromBuffer } from "file-type";
import { jpegPrecision } from "./jpeg_precision.ts";
import { type Region, resample } from "./resample.ts";

export type { Region };

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

/** How much of a picture somebody needs: with its shorter side this long, it may be decoded shrunk. */
export interface Enough {
  side: number;
}

interface Size {
  width: number;
  height: number;
}

/** A decoded picture: as a viewer shows it (EXIF orientation applied), in sRGB, transparency over white. */
export class Picture implements Disposable {
  readonly #image: IMagickImage;
  readonly #shrink: number;
  readonly width: number;
  readonly height: number;

  /**
   * @param size of the picture itself, pixels
   * @param shrink how many of its pixels one pixel of `image` stands for, along a side
   */
  constructor(image: IMagickImage, size: Size, shrink: number) {
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
    const shrink = this.#shrink;
    const part = {
      x: region.x / shrink,
      y: region.y / shrink,
      width: region.width / shrink,
      height: region.height / shrink,
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

let initialized: Promise<void> | undefined;

/** Makes the decoder ready; called by everything that decodes, does its work once per thread. */
export function initialize(): Promise<void> {
  return initialized ??= loadMagick();
}

/**
 * Decodes a picture file: JPEG, PNG, WebP, GIF (first frame, on its canvas), AVIF, HEIC, TIFF (first
 * page), BMP.
 *
 * @param maxPixels width × height above which the picture is refused, by its header alone
 * @param enough lets a larger JPEG be shrunk while it is decoded, which takes a third of the time or
 *   less; without it every pixel is decoded
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`, `image_too_small`
 */
export async function decode(
  bytes: Uint8Array,
  maxPixels: number,
  enough?: Enough,
): Promise<Picture> {
  const format = await formatOf(bytes);
  if (format === MagickFormat.Jpeg) refuseDeepJpeg(bytes);
  await initialize();

  const settings = new MagickReadSettings({ format, frameIndex: 0, frameCount: 1 });
  const stored = storedSize(bytes, settings);
  refuseSize(stored, maxPixels);
  const shrink = format === MagickFormat.Jpeg && enough ? shrinkTo(enough, stored) : 1;
  if (shrink > 1) {
    const size = `${Math.floor(stored.width / shrink)}x${Math.floor(stored.height / shrink)}`;
    settings.setDefine(MagickFormat.Jpeg, "size", size);
  }

  const image = MagickImage.create();
  try {
    attempt(image, () => image.read(bytes, settings));
    toSrgb(image);
    toCanvas(image, format);
    const turned = image.orientation >= Orientation.LeftTop &&
      image.orientation <= Orientation.LeftBottom;
    image.autoOrient();
    const size = shrink === 1 ? image : turned ? transposed(stored) : stored;
    return new Picture(image, size, shrink);
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

function refuseDeepJpeg(bytes: Uint8Array): void {
  const precision = jpegPrecision(bytes);
  if (precision === undefined || precision === 8) return;
  throw new Problem(
    "image_unreadable",
    `picture is a JPEG of ${precision} bits a sample: only 8 can be decoded`,
  );
}

/** The size before it is turned, of the canvas where there is one; from the header alone. */
function storedSize(bytes: Uint8Array, settings: MagickReadSettings): Size {
  const header = MagickImage.create();
  try {
    attempt(header, () => header.ping(bytes, settings));
    return canvasOf(header, settings.format);
  } finally {
    header.dispose();
  }
}

function refuseSize({ width, height }: Size, maxPixels: number): void {
  const pixels = width * height;
  if (pixels > maxPixels) {
    throw new Problem(
      "image_too_large",
      `picture is ${width} × ${height}, ${pixels} pixels: at most ${maxPixels} are allowed`,
    );
  }
  if (Math.min(width, height) < MIN_SIDE) {
    throw new Problem(
      "image_too_small",
      `picture is ${width} × ${height} pixels: at least ${MIN_SIDE} × ${MIN_SIDE} are needed`,
    );
  }
}

/** JPEG's own transform can be undone at a half, a quarter or an eighth of the size. */
function shrinkTo({ side }: Enough, { width, height }: Size): number {
  return [8, 4, 2].find((shrink) => Math.min(width, height) / shrink >= side) ?? 1;
}

/** Lets ImageMagick read something, and says in our words what it says in its own. */
function attempt(image: IMagickImage, read: () => void): void {
  let cutOff = false;
  image.onWarning = ({ error }) => {
    // Other warnings (stray bytes, odd metadata) leave a picture that viewers show as well.
    if (/premature end of jpeg file/i.test(error.message)) cutOff = true;
  };
  try {
    read();
  } catch (error) {
    if (!(error instanceof MagickError)) throw error;
    if (cutOff || saysCutOff(error)) throw truncated();
    // Its messages end in the place of its source where they arose.
    const said = error.message.replace(/\s*`\S*' @ .*$/, "");
    throw new Problem("image_unreadable", `picture can't be decoded: ${said}`);
  }
  if (cutOff) throw truncated();
}

/** Each of the libraries that ImageMagick reads with has its own words for that. */
const CUT_OFF =
  /unexpected\s?end|insufficient\s?image\s?data|premature|truncated|end of file|got \d+ bytes, expected/i;

function saysCutOff(error: MagickError): boolean {
  return CUT_OFF.test(error.message) || error.relatedErrors.some(saysCutOff);
}

function toCanvas(image: IMagickImage, format: MagickFormat): void {
  const canvas = canvasOf(image, format);
  const { x, y } = image.page;
  image.resetPage();
  image.backgroundColor = MagickColors.White;
  if (image.hasAlpha) image.alpha(AlphaAction.Remove);
  if (canvas.width !== image.width || canvas.height !== image.height) {
    image.extent(new MagickGeometry(-x, -y, canvas.width, canvas.height));
  }
}

function transposed({ width, height }: Size): Size {
  return { width: height, height: width };
}

function truncated(): Problem {
  return new Problem("image_truncated", "picture ends too early: part of the file is missing");
}
