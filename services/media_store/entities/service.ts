/**
 * The rules of media_store: what may be added, found, changed and deleted.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import {
  type EntityPatch,
  type EntityVersion,
  type Item,
  type KnownFiles,
  type Page,
  pageOf,
  Problem,
} from "@fovea/contract";
import type { BlobStore, ByteRange } from "../blobs/blob_store.ts";
import type { Spool } from "../blobs/spool.ts";
import type { Inspector } from "../media/inspector.ts";
import type { ReceivedFile } from "../transfer/upload.ts";
import { SerialQueue } from "@fovea/process/serial_queue";
import { type FileItem, type FileMetadata, NO_FILE } from "./file_metadata.ts";
import { type DerivedFiles, EntityFiles } from "./files.ts";
import type { NewEntity } from "./form.ts";
import type { EntityListing, Selection } from "./listing.ts";
import type { EntityRepository } from "./repository.ts";
import { checkParent, refuseDuplicate } from "./rules.ts";
import { checkIfMatch } from "./etag.ts";
import type { VersionRepository } from "./versions.ts";

/** What may be said of an existing entity. */
type Change = Partial<
  Omit<Item, "id" | "is_collection" | "added_date" | "updated_date" | "version">
>;

export class EntityService {
  readonly #entities: EntityRepository;
  readonly #versions: VersionRepository;
  readonly #listing: EntityListing;
  readonly #files: EntityFiles;
  readonly #blobs: BlobStore;
  readonly #spool: Spool;
  readonly #inspector: Inspector;
  readonly #maxPixels: number;
  /** One change at a time: between its checks and its writing nothing else changes. [note: row and file] */
  readonly #changes = new SerialQueue();

  constructor(
    parts: {
      entities: EntityRepository;
      versions: VersionRepository;
      listing: EntityListing;
      blobs: BlobStore;
      spool: Spool;
      /** Made from the files of entities. */
      derived: DerivedFiles;
      inspector: Inspector;
      /** Width × height of a picture may not be more. */
      maxPixels: number;
    },
  ) {
    this.#entities = parts.entities;
    this.#versions = parts.versions;
    this.#listing = parts.listing;
    this.#files = new EntityFiles(parts.blobs, parts.derived, parts.versions);
    this.#blobs = parts.blobs;
    this.#spool = parts.spool;
    this.#inspector = parts.inspector;
    this.#maxPixels = parts.maxPixels;
  }

  /**
   * Adds an entity, and keeps its file. Where an entity has the same bytes already, even one that is
   * deleted softly, that one is the answer, as it is.
   *
   * @throws {Problem} `missing_file`, `unexpected_file`, `unsupported_media`, `image_unreadable`,
   * `image_too_large`, `invalid_parent`, `storage_full`; nothing is kept then
   */
  async add(
    entity: NewEntity,
    file: ReceivedFile | null,
  ): Promise<{ item: Item; isNew: boolean }> {
    if (!entity.is_collection && file === null) {
      throw new Problem("missing_file", "file is missing: send it as the form's field image");
    }
    const metadata = await this.#readMetadata(entity, file);
    return await this.#changes.run(async () => {
      await checkParent(this.#entities, entity.parent_id);
      const now = Date.now();
      const item = {
        ...entity,
        ...NO_FILE,
        ...metadata,
        added_date: now,
        updated_date: now,
        is_deleted: false,
        version: 1,
      };
      if (file === null) return { item: await this.#entities.insert(item), isNew: true };
      const existing = await this.#entities.findBySha256(file.sha256);
      if (existing !== undefined) return { item: existing, isNew: false };
      const added = await this.#files.keep(
        file,
        item.extension,
        (file_path) => this.#entities.insert({ ...item, file_path }),
      );
      return { item: added, isNew: true };
    });
  }

  /**
   * Replaces what a client said of an entity, and its file where there is a new one.
   *
   * @param ifMatch the header: what the entity must be by now
   * @throws {Problem} as {@link EntityService.add}, except `missing_file`; `entity_not_found`,
   * `precondition_failed`, `is_collection_fixed`, `duplicate_file`
   */
  async replace(
    id: number,
    entity: NewEntity,
    file: ReceivedFile | null,
    ifMatch?: string,
  ): Promise<Item> {
    const { is_collection } = await this.get(id);
    if (entity.is_collection !== is_collection) {
      throw new Problem(
        "is_collection_fixed",
        `is_collection is ${entity.is_collection}: entity ${id} is ${
          is_collection ? "a collection" : "a file"
        } and stays one`,
      );
    }
    const metadata = await this.#readMetadata(entity, file);
    return await this.#changes.run(async () => {
      const item = await this.getToChange(id, ifMatch);
      const change = { ...entity, ...metadata };
      await checkParent(this.#entities, change.parent_id, item);
      if (file === null) return await this.#save(item, change);
      await refuseDuplicate(this.#entities, file, id);
      return await this.#files.keep(
        file,
        change.extension ?? null,
        (file_path) => this.#save(item, { ...change, file_path }),
      );
    });
  }

  /**
   * Changes single members of an entity.
   *
   * @throws {Problem} `entity_not_found`, `precondition_failed`, `invalid_parent`, `storage_full`
   */
  patch(id: number, patch: EntityPatch, ifMatch?: string): Promise<Item> {
    return this.#changes.run(async () => {
      const item = await this.getToChange(id, ifMatch);
      const said = Object.entries(patch).filter(([, value]) => value !== undefined);
      const change: Change = Object.fromEntries(said);
      if (change.parent_id !== undefined) await checkParent(this.#entities, change.parent_id, item);
      return await this.#save(item, change);
    });
  }

  /** What changes nothing makes no version. */
  async #save(item: Item, change: Change): Promise<Item> {
    const changed: Item = { ...item, ...change };
    const members = Object.keys(change) as (keyof Change)[];
    if (members.every((member) => changed[member] === item[member])) return item;
    return await this.#entities.update({
      ...changed,
      version: item.version + 1,
      updated_date: Date.now(),
    });
  }

  async #readMetadata(
    entity: NewEntity,
    file: ReceivedFile | null,
  ): Promise<FileMetadata | undefined> {
    if (file === null) return undefined;
    if (entity.is_collection) {
      throw new Problem("unexpected_file", "a collection has no file: leave the field image out");
    }
    const { blob, name, size, md5, sha256 } = file;
    const maxPixels = this.#maxPixels;
    const metadata = await this.#inspector.inspect({ path: blob.path, name, maxPixels });
    return { ...metadata, file_size: size, md5, sha256 };
  }

  /**
   * @param version from 1: the entity as it was then
   * @throws {Problem} `entity_not_found`, `version_not_found`
   */
  async get(id: number, version?: number): Promise<Item> {
    const item = await this.#entities.find(id);
    if (item === undefined) throw notFound(id);
    if (version === undefined || version === item.version) return item;
    const then = await this.#versions.find(id, version);
    if (then !== undefined) return then;
    throw new Problem(
      "version_not_found",
      `entity ${id} has no version ${version}: its versions are 1 to ${item.version}`,
    );
  }

  /**
   * The entity, where it still is what the author of a change has seen.
   *
   * @throws {Problem} `entity_not_found`, `precondition_failed`
   */
  async getToChange(id: number, ifMatch: string | undefined): Promise<Item> {
    const item = await this.get(id);
    checkIfMatch(item, ifMatch);
    return item;
  }

  /** In the order in which they were added. @param page from 1 */
  async list(page: number, pageSize: number, selection: Selection = {}): Promise<Page<Item>> {
    const { items, total } = await this.#listing.page(selection, (page - 1) * pageSize, pageSize);
    return pageOf(items, page, pageSize, total);
  }

  /** Which of these bytes are here, before anything is sent. @param digests SHA-256, lower-case hex */
  async known(digests: string[]): Promise<KnownFiles> {
    return { known: await this.#entities.known(digests) };
  }

  /** Oldest first. @throws {Problem} `entity_not_found` */
  async versions(id: number): Promise<EntityVersion[]> {
    const versions = await this.#versions.list(id);
    if (versions.length === 0) throw notFound(id);
    return versions;
  }

  /** @throws {Problem} `entity_not_found`, `version_not_found`, `entity_has_no_file` */
  async getFile(id: number, version?: number): Promise<FileItem> {
    const item = await this.get(id, version);
    if (item.sha256 === null) {
      throw new Problem("entity_has_no_file", `entity ${id} is a collection and has no file`);
    }
    return item as FileItem;
  }

  /** The bytes of an entity's file, or a range of them. @throws {Problem} `entity_not_found` */
  async read(
    item: FileItem,
    range?: ByteRange,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    try {
      return await this.#blobs.read(item.file_path, range);
    } catch (error) {
      // It may have been deleted since it was looked up; if not, its file is lost.
      await this.get(item.id);
      throw error;
    }
  }

  /**
   * Deletes for good, with all versions. What lies in a collection moves to where that lay.
   *
   * @returns the entity as it was
   * @throws {Problem} `entity_not_found`, `precondition_failed`, `storage_full`
   */
  delete(id: number, ifMatch?: string): Promise<Item> {
    return this.#changes.run(async () => {
      await this.getToChange(id, ifMatch);
      const deleted = await this.#entities.delete(id, Date.now());
      if (deleted === undefined) throw notFound(id);
      await this.#files.remove(deleted.files);
      return deleted.item;
    });
  }

  /** Deletes everything for good and returns how many entities there were. */
  deleteAll(): Promise<number> {
    return this.#changes.run(async () => {
      const count = await this.#entities.deleteAll();
      await this.#files.removeAll();
      return count;
    });
  }

  /** Removes what a crash may have left, and reports what nothing can bring back. */
  recover(log: Logger): Promise<void> {
    return this.#files.recover(log);
  }

  /** Fails where an upload would: writes the database and the disk. */
  async probe(): Promise<void> {
    await this.#entities.probe(Date.now());
    await this.#spool.probe();
  }
}

function notFound(id: number): Problem {
  return new Problem("entity_not_found", `there is no entity ${id}`);
}
