/**
 * What a file's bytes say of it: what it is, and of a picture how large it is and when it was taken.
 *
 * @module
 */
import { DECODERS } from "@fovea/pictures/kinds";
import { type MediaKind, recogniseMedia } from "./media_kind.ts";
import { type PictureMetadata, readPictureMetadata } from "./picture_metadata.ts";

export type MediaMetadata =
  & MediaKind
  & { [Fact in keyof PictureMetadata]: PictureMetadata[Fact] | null };

/** What is said of a file that is no picture, or of a kind that is never opened. */
const NO_PICTURE: { [Fact in keyof PictureMetadata]: null } = {
  width: null,
  height: null,
  create_date: null,
  create_offset_minutes: null,
  shown_by_preview: null,
};

/** A file to read metadata of. */
export interface Inspection {
  path: string;
  /** What the uploader calls it, for messages only. */
  name: string;
  /** Width × height of a picture may not be more. */
  maxPixels: number;
}

/** A file of this size at most is read whole, once, also to tell what it is. */
const SMALL_BYTES = 8 * 1024 * 1024;

/** A larger picture is not read into memory for the sake of a few numbers: it is kept without them. */
const MAX_READ_BYTES = 512 * 1024 * 1024;

/** @throws {Problem} `unsupported_media`, `image_unreadable`, `image_truncated`, `image_too_large` */
export async function readMediaMetadata(
  { path, name, maxPixels }: Inspection,
): Promise<MediaMetadata> {
  // This runs in a thread of its own: waiting for the disk holds up nobody.
  const { size } = Deno.statSync(path);
  const bytes = size <= SMALL_BYTES ? Deno.readFileSync(path) : undefined;
  const kind = await recogniseMedia(bytes ?? path, name);
  if (DECODERS[kind.mime_type] === undefined || size > MAX_READ_BYTES) {
    return { ...kind, ...NO_PICTURE };
  }
  const picture = await readPictureMetadata(
    bytes ?? Deno.readFileSync(path),
    kind.mime_type,
    maxPixels,
  );
  return { ...kind, ...picture };
}
