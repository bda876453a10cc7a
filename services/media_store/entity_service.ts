/**
 * The rules of media_store: what may be added, found and deleted, and that a row and its file come
 * and go together.
 *
 * @module
 */
import type { Logger } from "@fovea/common/log";
import { type Item, type Page, pageOf, Problem } from "@fovea/contract";
import type { BlobStore } from "./blob_store.ts";
import type { NewEntity } from "./entity_form.ts";
import type { EntityRepository, NewItem } from "./entity_repository.ts";
import type { Inspector } from "./inspector.ts";
import type { MediaFacts } from "./media_facts.ts";
import { Turns } from "./turns.ts";
import type { ReceivedFile } from "./upload.ts";

/** The members of an Item that its file determines. */
type FileFacts = MediaFacts & Pick<Item, "file_size" | "md5" | "sha256">;

const NO_FILE: { [Fact in keyof FileFacts]: null } = {
  create_date: null,
  file_size: null,
  height: null,
  width: null,
  mime_type: null,
  type: null,
  extension: null,
  md5: null,
  sha256: null,
};

/** An entity that certainly has a file. */
export type FileItem = Item & {
  mime_type: string;
  file_size: number;
  sha256: string;
  file_path: string;
};

export class EntityService {
  readonly #entities: EntityRepository;
  readonly #blobs: BlobStore;
  readonly #inspector: Inspector;
  readonly #maxPixels: number;
  /**
   * [note: row and file] Whatever adds or removes a file does so in turn, file first when adding and
   * row first when removing. So an upload and a delete of the same bytes can't leave a row without
   * its file, and all that a crash can leave is a file without a row, which the next start removes.
   */
  readonly #changes = new Turns();

  constructor(
    parts: {
      entities: EntityRepository;
      blobs: BlobStore;
      inspector: Inspector;
      /** Width × height of a picture may not be more. */
      maxPixels: number;
    },
  ) {
    this.#entities = parts.entities;
    this.#blobs = parts.blobs;
    this.#inspector = parts.inspector;
    this.#maxPixels = parts.maxPixels;
  }

  /**
   * @throws {Problem} `missing_file`, `unexpected_file`, `unsupported_media`, `image_unreadable`,
   * `image_too_large`, `invalid_parent`, `duplicate_file`, `storage_full`; nothing is kept then
   */
  async add(entity: NewEntity, file: ReceivedFile | null): Promise<Item> {
    if (entity.is_collection && file !== null) {
      throw new Problem("unexpected_file", "a collection has no file: leave the field image out");
    }
    if (!entity.is_collection && file === null) {
      throw new Problem("missing_file", "file is missing: send it as the form's field image");
    }
    const facts = file === null ? NO_FILE : await this.#readFacts(file);
    return await this.#changes.take(async () => {
      await this.#checkParent(entity.parent_id);
      const now = Date.now();
      const item: NewItem = {
        ...entity,
        ...facts,
        added_date: now,
        updated_date: now,
        is_deleted: false,
        duration: null,
        file_path: null,
        version: 1,
      };
      return file === null ? await this.#entities.insert(item) : await this.#publish(item, file);
    });
  }

  async #readFacts({ blob, name, size, md5, sha256 }: ReceivedFile): Promise<FileFacts> {
    const maxPixels = this.#maxPixels;
    const facts = await this.#inspector.inspect({ path: blob.path, name, maxPixels });
    return { ...facts, file_size: size, md5, sha256 };
  }

  async #checkParent(id: number | null): Promise<void> {
    if (id === null) return;
    const parent = await this.#entities.find(id);
    if (parent?.is_collection) return;
    const met = parent === undefined ? "there is no such entity" : "that entity is no collection";
    throw new Problem("invalid_parent", `parent_id is ${id}: ${met}`);
  }

  /** [note: row and file] */
  async #publish(item: NewItem, file: ReceivedFile): Promise<Item> {
    const existing = await this.#entities.findBySha256(file.sha256);
    if (existing !== undefined) {
      throw new Problem("duplicate_file", `these bytes are stored already, as entity ${existing}`, {
        entity_id: existing,
      });
    }
    const path = await this.#freePath(file, item.extension);
    try {
      await this.#blobs.keep(file.blob, path);
      return await this.#entities.insert({ ...item, file_path: path });
    } catch (error) {
      await this.#blobs.remove(path);
      throw error;
    }
  }

  /** Different bytes can be made to have the same MD5, and must not overwrite each other. */
  async #freePath({ md5, sha256 }: ReceivedFile, extension: string | null): Promise<string> {
    const path = `files/${md5}.${extension}`;
    return await this.#entities.ownsFile(path) ? `files/${md5}-${sha256}.${extension}` : path;
  }

  /** @throws {Problem} `entity_not_found` */
  async get(id: number): Promise<Item> {
    return found(id, await this.#entities.find(id));
  }

  /** In the order in which they were added. */
  async list(page: number, pageSize: number): Promise<Page<Item>> {
    const { items, total } = await this.#entities.list((page - 1) * pageSize, pageSize);
    return pageOf(items, page, pageSize, total);
  }

  /** @throws {Problem} `entity_not_found`, `entity_has_no_file` */
  async getFile(id: number): Promise<FileItem> {
    const item = await this.get(id);
    if (item.sha256 === null) {
      throw new Problem("entity_has_no_file", `entity ${id} is a collection and has no file`);
    }
    return item as FileItem;
  }

  /** The bytes of an entity's file. @throws {Problem} `entity_not_found` */
  async read(item: FileItem): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    try {
      return await this.#blobs.read(item.file_path);
    } catch (error) {
      // It may have been deleted since it was looked up; if not, its file is lost.
      await this.get(item.id);
      throw error;
    }
  }

  /**
   * Deletes for good. What lies in a collection moves out of it.
   *
   * @returns the entity as it was
   * @throws {Problem} `entity_not_found`
   */
  delete(id: number): Promise<Item> {
    return this.#changes.take(async () => {
      const item = found(id, await this.#entities.delete(id));
      if (item.file_path !== null) await this.#blobs.remove(item.file_path);
      return item;
    });
  }

  /** Deletes everything for good and returns how many entities there were. */
  deleteAll(): Promise<number> {
    return this.#changes.take(async () => {
      const count = await this.#entities.deleteAll();
      for (const path of await this.#blobs.paths()) await this.#blobs.remove(path);
      return count;
    });
  }

  /** Removes what a crash may have left, and reports what nothing can bring back. */
  async recover(log: Logger): Promise<void> {
    const owners = await this.#entities.files();
    const present = await this.#blobs.paths();
    for (const path of present.difference(owners)) {
      await this.#blobs.remove(path);
      log.warn({ file: path }, "removed a file that no entity owns");
    }
    for (const [path, id] of owners) {
      if (!present.has(path)) {
        log.error({ entity_id: id, file: path }, "an entity's file is missing");
      }
    }
  }

  /** Fails where an upload would: writes the database and the disk. */
  async probe(): Promise<void> {
    await this.#entities.probe(Date.now());
    await this.#blobs.probe();
  }
}

function found(id: number, item: Item | undefined): Item {
  if (item === undefined) throw new Problem("entity_not_found", `there is no entity ${id}`);
  return item;
}
