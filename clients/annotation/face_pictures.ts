/**
 * A picture's faces as pictures: drawn on a copy, and cut out.
 *
 * @module
 */
import { type FaceDetectionResult, Problem } from "@fovea/contract";
import { annotate } from "./annotation.ts";
import { crop } from "./crop.ts";
import type { Destination } from "./destination.ts";
import { decodePicture, encodePng, type Picture } from "./picture.ts";
import { reasonOf } from "@fovea/process/file_error";

/**
 * Writes what is asked for, if anything; files of the same names are replaced.
 *
 * @param bytes of the picture file that the result is of
 * @throws {Problem} `usage` where a file can't be written, `unsupported_media` and
 * `image_unreadable` where it can't be drawn on
 */
export async function writeFacePictures(
  bytes: Uint8Array<ArrayBuffer>,
  { faces, image_width, image_height }: FaceDetectionResult,
  { annotated, crop: cropOf }: Destination,
): Promise<void> {
  if (annotated === undefined && cropOf === undefined) return;
  const picture = await decodePicture(bytes);
  if (picture.width !== image_width || picture.height !== image_height) {
    throw new Problem(
      "image_unreadable",
      `it is decoded to ${picture.width} × ${picture.height} pixels, but faces were looked for in ` +
        `${image_width} × ${image_height}`,
    );
  }
  if (cropOf !== undefined) {
    for (const { face_index, bbox } of faces) {
      await write(cropOf(face_index + 1), crop(picture, bbox));
    }
  }
  if (annotated !== undefined) {
    annotate(picture, faces);
    await write(annotated, picture);
  }
}

async function write(path: string, picture: Picture): Promise<void> {
  try {
    await Deno.writeFile(path, encodePng(picture));
  } catch (error) {
    throw new Problem("usage", `${path} can't be written: ${reasonOf(error)}`);
  }
}
