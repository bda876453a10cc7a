/**
 * What a picture's header says of it, without decoding a pixel.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import ExifReader from "exifreader";
import { imageSize } from "image-size";
import { firstDirectory, readHeader } from "./header.ts";
import { heifSize, type Size } from "./heif_size.ts";
import { type Taken, takenAt, TIME_TAGS } from "./taken.ts";

export interface PictureFacts extends Size, Taken {
  /** Whether what can be shown of it is a preview that stands in its file. */
  shown_by_preview: boolean;
}

const HEIF_TYPES = /^image\/(heic|heif|avif)/;

/** EXIF orientations in which rows and columns change places (EXIF 2.32, 4.6.4 A, tag 274). */
const TRANSPOSED = [5, 6, 7, 8];

/**
 * @param mimeType what the bytes say
 * @param maxPixels width × height may not be more
 * @throws {Problem} `image_unreadable`, `image_too_large`
 */
export async function readPictureFacts(
  path: string,
  mimeType: string,
  maxPixels: number,
): Promise<PictureFacts> {
  const bytes = await readHeader(path, mimeType);
  const isHeif = HEIF_TYPES.test(mimeType);
  const exif = readExif(bytes);
  const stored = readSize(bytes, mimeType);
  const { width, height } = stored;
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
  // HEIF has properties of its own for turning, which alone count there.
  const isTransposed = !isHeif && TRANSPOSED.includes(exif.Orientation?.value ?? 1);
  return {
    width: isTransposed ? height : width,
    height: isTransposed ? width : height,
    ...takenAt(exif),
    shown_by_preview: false,
  };
}

function readSize(bytes: Uint8Array<ArrayBuffer>, mimeType: string): Size {
  try {
    if (HEIF_TYPES.test(mimeType)) return heifSize(bytes);
    // Of a TIFF image-size copies all that follows the beginning of the directory.
    const end = mimeType === "image/tiff" ? firstDirectory(bytes).end : bytes.length;
    return imageSize(bytes.subarray(0, end));
  } catch (error) {
    throw new Problem(
      "image_unreadable",
      `picture's width and height can't be read: ${(error as Error).message}`,
    );
  }
}

function readExif(bytes: Uint8Array<ArrayBuffer>) {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const tags = ExifReader.loadView(view, {
      expanded: true,
      includeTags: {
        exif: ["Orientation", ...TIME_TAGS],
      },
    });
    return tags.exif ?? {};
  } catch {
    // A picture without a readable EXIF block is a picture all the same.
    return {};
  }
}
