/**
 * The members of an Item that its file determines.
 *
 * @module
 */
import type { Item } from "@fovea/contract";
import type { MediaMetadata } from "../media/media_metadata.ts";

/** All that is known of a file, but for where it lies. */
export type FileMetadata = MediaMetadata & Pick<Item, "file_size" | "md5" | "sha256">;

/** What they are of a collection. */
export const NO_FILE: { [Fact in keyof FileMetadata | "file_path" | "duration"]: null } = {
  create_date: null,
  create_offset_minutes: null,
  file_size: null,
  height: null,
  width: null,
  shown_by_preview: null,
  duration: null,
  mime_type: null,
  type: null,
  extension: null,
  md5: null,
  sha256: null,
  file_path: null,
};

/** An entity that certainly has a file. */
export type FileItem = Item & {
  mime_type: string;
  file_size: number;
  sha256: string;
  file_path: string;
};
