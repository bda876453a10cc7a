/**
 * The files behind entities: one for each distinct content, however many versions of however many
 * entities have it.
 *
 * [note: row and file] A file comes before the first row that needs it, and goes after the last one.
 * Whatever adds or removes either takes its turn in {@link EntityService}. So an upload and a delete
 * of the same bytes can't leave a row without its file, and all that a crash can leave is a file
 * without a row, which the next start removes.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import type { BlobStore } from "../blobs/blob_store.ts";
import type { ReceivedFile } from "../transfer/upload.ts";
import type { StoredFile, VersionRepository } from "./versions.ts";

/** What was made from files, and goes with them. */
export interface DerivedFiles {
  /** @param path of the file that goes */
  remove(path: string): Promise<void>;
}

export class EntityFiles {
  readonly #blobs: BlobStore;
  readonly #derived: DerivedFiles;
  readonly #versions: VersionRepository;

  constructor(blobs: BlobStore, derived: DerivedFiles, versions: VersionRepository) {
    this.#blobs = blobs;
    this.#derived = derived;
    this.#versions = versions;
  }

  /**
   * Keeps a file, and writes the row that needs it.
   *
   * @param write gets the file's path; where it throws, a file that was not there before goes again
   * @throws {Problem} `storage_full`
   */
  async keep<T>(
    file: ReceivedFile,
    extension: string | null,
    write: (path: string) => Promise<T>,
  ): Promise<T> {
    const known = await this.#versions.pathOf(file.sha256);
    const path = known ?? await this.#freePath(file, extension);
    try {
      // The same bytes over those that are there: that mends a file that was lost or damaged.
      await this.#blobs.put(path, file.blob);
      return await write(path);
    } catch (error) {
      if (known === undefined) await this.#remove(path);
      throw error;
    }
  }

  /** Different bytes can be made to have the same MD5, and must not overwrite each other. */
  async #freePath({ md5, sha256 }: ReceivedFile, extension: string | null): Promise<string> {
    const path = `files/${md5}.${extension}`;
    return await this.#versions.needsFile(path) ? `files/${md5}-${sha256}.${extension}` : path;
  }

  /** Removes files whose last row has gone. */
  async remove(files: StoredFile[]): Promise<void> {
    for (const { file_path } of files) await this.#remove(file_path);
  }

  async removeAll(): Promise<void> {
    for (const path of await this.#blobs.list()) await this.#remove(path);
  }

  async #remove(path: string): Promise<void> {
    await this.#blobs.remove(path);
    await this.#derived.remove(path);
  }

  /** Removes what a crash may have left, and reports what nothing can bring back. */
  async recover(log: Logger): Promise<void> {
    const needed = await this.#versions.files();
    const present = await this.#blobs.list();
    for (const path of present.difference(new Set(needed.map((file) => file.file_path)))) {
      await this.#remove(path);
      log.warn({ file: path }, "removed a file that no entity needs");
    }
    for (const { id, file_path } of needed) {
      if (!present.has(file_path)) {
        log.error({ entity_id: id, file: file_path }, "an entity's file is missing");
      }
    }
  }
}
