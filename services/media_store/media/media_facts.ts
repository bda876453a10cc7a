/**
 * What a file's bytes say of it: what it is, and of a picture how large it is and when it was taken.
 *
 * @module
 */
import { type MediaKind, recogniseMedia } from "./media_kind.ts";
import { type PictureFacts, readPictureFacts } from "./picture_facts.ts";

export type MediaFacts = MediaKind & { [Fact in keyof PictureFacts]: PictureFacts[Fact] | null };

const NO_PICTURE: { [Fact in keyof PictureFacts]: null } = {
  width: null,
  height: null,
  create_date: null,
  create_offset_minutes: null,
  shown_by_preview: null,
};

/** A file to read facts of. */
export interface Inspection {
  path: string;
  /** What the uploader calls it, for messages only. */
  name: string;
  /** Width × height of a picture may not be more. */
  maxPixels: number;
}

/** @throws {Problem} `unsupported_media`, `image_unreadable`, `image_too_large` */
export async function readMediaFacts({ path, name, maxPixels }: Inspection): Promise<MediaFacts> {
  const kind = await recogniseMedia(path, name);
  const picture = kind.type === "image"
    ? await readPictureFacts(path, kind.mime_type, maxPixels)
    : NO_PICTURE;
  return { ...kind, ...picture };
}
