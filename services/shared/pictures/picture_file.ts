/**
 * Opens a picture file. [note: one reader] What is accepted, how large a picture is and how it is
 * turned, and its pixels, are all decided here, for both services: what opens here is stored with the
 * size that it has here, and thumbnails and jobs see exactly that.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { interruptible } from "@fovea/process/interruptible";
import {
  type IMagickImage,
  MagickFormat,
  MagickImage,
  MagickReadSettings,
  Orientation,
} from "@imagemagick/magick-wasm";
import { restoreJpegEnd, restorePngEnd } from "./end_marker.ts";
import { bareExif, jxlExif, webpExif } from "./exif_block.ts";
import { cutOff, runMagick, type Warnings } from "./magick_errors.ts";
import { largestIcon } from "./ico.ts";
import { readJpegMarkers } from "./jpeg.ts";
import { DECODABLE, DECODERS } from "./kinds.ts";
import { MAX_SCANS, refuseJpeg, refuseSize, type Size } from "./limits.ts";
import { canvasOf, loadMagick } from "./magick.ts";
import { readRaw } from "./raw_preview.ts";
import { readTiff } from "./tiff.ts";
import { correctTiff } from "./tiff_colours.ts";

export { cutOff, runMagick };

export interface OpenOptions {
  /** What its bytes say that the file is: one of {@link DECODERS}, or else it is refused. */
  mimeType: string | undefined;
  /** Width × height of what is decoded may not be more. */
  maxPixels: number;
}

/** A picture whose header was read, and no pixel. */
export interface OpenedPicture extends Size {
  readonly orientation: Orientation;
  /** Its EXIF block as a TIFF; empty where there is none. */
  readonly exif: Uint8Array;
  /** True where what can be decoded is the preview that a camera put into its raw file. */
  readonly isPreview: boolean;
  /** Undefined of a raw file without a preview. */
  readonly source: PictureSource | undefined;
}

/** What is decoded: the file, or the part of it that is a preview. */
interface PictureSource extends Size {
  readonly bytes: Uint8Array;
  readonly format: MagickFormat;
  /** Which of the file's pictures it is, from 0. */
  readonly frame: number;
  /** Whether the file's last marker was missing, and was put back. */
  readonly hadNoEnd: boolean;
}

/** EXIF's tag, and orientations in which rows and columns change places (EXIF 2.32, 4.6.4 A). */
const ORIENTATION_TAG = 274;
const isTransposed = (orientation: Orientation) =>
  orientation >= Orientation.LeftTop && orientation <= Orientation.LeftBottom;

/**
 * Reads a picture's header.
 *
 * @returns its size is as a viewer shows it
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`
 */
export async function openPicture(
  bytes: Uint8Array,
  options: OpenOptions,
): Promise<OpenedPicture> {
  const { mimeType, maxPixels } = options;
  const decoder = mimeType === undefined ? undefined : DECODERS[mimeType];
  if (decoder === undefined) {
    throw new Problem(
      "image_unreadable",
      `file is ${
        mimeType ?? "of no known type"
      }, not a picture that can be opened: ${DECODABLE} are`,
    );
  }
  await loadMagick();
  return interruptible(() =>
    decoder === "preview" ? openRaw(bytes, options) : openFormat(bytes, decoder, maxPixels)
  );
}

function openRaw(bytes: Uint8Array, { mimeType, maxPixels }: OpenOptions): OpenedPicture {
  const { size, orientation, preview, hasSensor } = readRaw(bytes);
  // By one tag a TIFF is taken for Sony's, which other cameras and scanners write, too.
  if (mimeType === "image/x-sony-arw" && !hasSensor) {
    return openFormat(bytes, MagickFormat.Tiff, maxPixels);
  }
  if (size === undefined) {
    throw new Problem("image_unreadable", "raw file's width and height are not in its file");
  }
  return {
    ...upright(size, orientation),
    orientation,
    exif: bytes,
    isPreview: preview !== undefined,
    source: preview && openFormat(preview, MagickFormat.Jpeg, maxPixels).source,
  };
}

function openFormat(bytes: Uint8Array, format: MagickFormat, maxPixels: number): OpenedPicture {
  const whole = restoreEnd(bytes, format);
  const frame = format === MagickFormat.Ico ? largestIcon(bytes) : 0;
  const image = MagickImage.create();
  try {
    runMagick(image, () => image.ping(whole, new MagickReadSettings({ format, ...only(frame) })));
    const stored = canvasOf(image, format);
    refuseSize(stored, maxPixels);
    const exif = exifOf(image, whole, format);
    const orientation = orientationOf(image, exif, format);
    return {
      ...upright(stored, orientation),
      orientation,
      exif,
      isPreview: false,
      source: { ...stored, bytes: whole, format, frame, hadNoEnd: whole !== bytes },
    };
  } finally {
    image.dispose();
  }
}

export interface DecodedPicture {
  /** In the file's own colours, on its canvas, and not yet turned. To be disposed of. */
  image: IMagickImage;
  warnings: Warnings;
}

/**
 * Decodes an opened picture.
 *
 * @param atLeast a JPEG may be shrunk while it is decoded, to no less than this, which takes a third
 *   of the time or less
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`
 */
export function decodePicture(
  { source, orientation }: OpenedPicture,
  atLeast?: Size,
): DecodedPicture {
  if (source === undefined) {
    throw new Problem(
      "image_unreadable",
      "file is a camera's raw data without a preview: only previews are shown of such",
    );
  }
  const { bytes, format, frame, hadNoEnd } = source;
  const settings = new MagickReadSettings({ format, ...only(frame) });
  if (format === MagickFormat.Jpeg && atLeast !== undefined) {
    settings.setDefine(format, "size", `${atLeast.width}x${atLeast.height}`);
  }
  const image = MagickImage.create();
  try {
    const warnings = runMagick(image, () => image.read(bytes, settings), hadNoEnd);
    if (format === MagickFormat.Tiff) correctTiff(image, bytes);
    image.orientation = orientation;
    return { image, warnings };
  } catch (error) {
    image.dispose();
    throw error;
  }
}

/** One frame of however many: the others are nobody's business. */
const only = (frame: number) => ({ frameIndex: frame, frameCount: 1 });

function restoreEnd(bytes: Uint8Array, format: MagickFormat): Uint8Array {
  if (format === MagickFormat.Png) return restorePngEnd(bytes);
  if (format !== MagickFormat.Jpeg) return bytes;
  const markers = readJpegMarkers(bytes, MAX_SCANS);
  refuseJpeg(markers);
  return restoreJpegEnd(bytes, markers);
}

function upright({ width, height }: Size, orientation: Orientation): Size {
  return isTransposed(orientation) ? { width: height, height: width } : { width, height };
}

function exifOf(image: IMagickImage, bytes: Uint8Array, format: MagickFormat): Uint8Array {
  const block = format === MagickFormat.WebP
    ? webpExif(bytes)
    : format === MagickFormat.Jxl
    ? jxlExif(bytes)
    : format === MagickFormat.Tiff
    ? bytes
    : image.getProfile("exif")?.data.slice();
  return bareExif(block ?? new Uint8Array());
}

/** ImageMagick knows the orientation of a WebP only when it has decoded all of it. */
function orientationOf(image: IMagickImage, exif: Uint8Array, format: MagickFormat): Orientation {
  const orientation = format === MagickFormat.WebP
    ? readTiff(exif)[0]?.number(ORIENTATION_TAG)
    : image.orientation;
  return orientation !== undefined && orientation >= 1 && orientation <= 8
    ? orientation as Orientation
    : Orientation.TopLeft;
}
