import { type Item, Problem } from "@fovea/contract";
import type { PictureFile } from "../files/picture_file.ts";
import type { Service } from "./service.ts";

/** A picture as media_store keeps it. */
export interface StoredPicture {
  /** The entity's. */
  id: number;
  /** True where the bytes were there before. */
  existed: boolean;
  /** True where the entity they are of is softly deleted. */
  deleted: boolean;
}

/**
 * Stores a picture in media_store, and waits while that is too busy to look at it. One whose bytes are
 * already there is left as it is.
 *
 * @throws {Problem} what media_store said, or `service_unreachable`; `media_store_error` where the
 * entity it names has other bytes
 */
export async function upload(
  mediaStore: Service,
  { name, bytes, sha256 }: PictureFile,
  label: string | undefined,
  signal: AbortSignal,
): Promise<StoredPicture> {
  const form = new FormData();
  form.set("is_collection", "false");
  if (label !== undefined) form.set("label", label);
  form.set("image", new File([bytes], name));
  const request = { method: "POST", path: "/entity/", body: form, signal } as const;
  const { body: item, status } = await mediaStore.callWhileBusy<Item>(request, "service_busy");
  if (item.sha256 !== sha256) {
    throw new Problem(
      "media_store_error",
      `media_store says that it keeps these bytes as entity ${item.id}, but that has sha256 ` +
        `${item.sha256}, and they have ${sha256}: check it with ./fovea media-store --check`,
    );
  }
  return { id: item.id, existed: status === 200, deleted: item.is_deleted };
}
