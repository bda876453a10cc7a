/**
 * Thumbnails that were made, for as long as their picture is there: `thumbnails/` in the store's
 * folder, with a folder for each picture's file, of that file's name.
 *
 * @module
 */
import type { BlobStore } from "../blobs/blob_store.ts";
import { removeIfThere } from "../blobs/remove_if_there.ts";
import type { Spool } from "../blobs/spool.ts";
import { reportStorage } from "../blobs/storage_failure.ts";

export class ThumbnailCache {
  readonly #folder: string;
  readonly #spool: Spool;
  readonly #blobs: BlobStore;

  private constructor(folder: string, spool: Spool, blobs: BlobStore) {
    this.#folder = folder;
    this.#spool = spool;
    this.#blobs = blobs;
  }

  /** @param folder of the store, which this process alone uses */
  static async open(folder: string, spool: Spool, blobs: BlobStore): Promise<ThumbnailCache> {
    const own = `${folder}/thumbnails`;
    await Deno.mkdir(own, { recursive: true });
    // A crash may come between the removal of a picture and that of its thumbnails.
    const present = await blobs.list();
    for await (const { name } of Deno.readDir(own)) {
      if (!present.has(`files/${name}`)) await removeIfThere(`${own}/${name}`);
    }
    return new ThumbnailCache(own, spool, blobs);
  }

  /** @param path of the picture, `files/…` */
  async read(path: string, name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await Deno.readFile(`${this.#folderOf(path)}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** @throws {Problem} `storage_full` */
  async put(path: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await using thumbnail = await this.#spool.begin();
    await thumbnail.write(bytes);
    await thumbnail.finish();
    const folder = this.#folderOf(path);
    await reportStorage(async () => {
      await Deno.mkdir(folder, { recursive: true });
      await Deno.rename(thumbnail.path, `${folder}/${name}`);
    });
    // The picture may have been removed while its thumbnail was made.
    if (!await this.#blobs.has(path)) await removeIfThere(folder);
  }

  /** Removes all thumbnails of a picture. */
  async remove(path: string): Promise<void> {
    await removeIfThere(this.#folderOf(path));
  }

  #folderOf(path: string): string {
    return `${this.#folder}/${path.replace(/^files\//, "")}`;
  }
}
