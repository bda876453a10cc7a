/**
 * What a picture's header says of it, without decoding a pixel. [note: one reader] It is the same
 * reader's word by which thumbnails and jobs go.
 *
 * @module
 */
import type { Size } from "@fovea/pictures/limits";
import { openPicture } from "@fovea/pictures/picture_file";
import { type CaptureTime, readCaptureTime } from "./capture_time.ts";

export interface PictureMetadata extends Size, CaptureTime {
  /** Whether what can be shown of it is a preview that stands in its file. */
  shown_by_preview: boolean;
}

/**
 * @param bytes of the whole file
 * @param mimeType what they say, one of those that are opened
 * @param maxPixels width × height may not be more
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`
 */
export async function readPictureMetadata(
  bytes: Uint8Array,
  mimeType: string,
  maxPixels: number,
): Promise<PictureMetadata> {
  const { width, height, exif, isPreview } = await openPicture(bytes, { mimeType, maxPixels });
  return { width, height, ...readCaptureTime(exif), shown_by_preview: isPreview };
}
