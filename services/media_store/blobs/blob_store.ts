/**
 * Where the bytes of entities lie: `files/` in the store's folder, one file for each. Nobody else
 * knows that they are files: who needs one gets a local copy.
 *
 * @module
 */
import type { NewBlob } from "./new_blob.ts";
import { removeIfThere } from "./remove_if_there.ts";
import type { LocalFile, Spool } from "./spool.ts";
import { reportStorage, storageMissing } from "./storage_failure.ts";

/** Bytes of a blob, from 0, the last one included. */
export interface ByteRange {
  start: number;
  end: number;
}

export class BlobStore {
  readonly #folder: string;
  readonly #spool: Spool;

  private constructor(folder: string, spool: Spool) {
    this.#folder = folder;
    this.#spool = spool;
  }

  /** @param folder an existing one that this process alone uses */
  static async open(folder: string, spool: Spool): Promise<BlobStore> {
    await Deno.mkdir(`${folder}/files`, { recursive: true });
    return new BlobStore(folder, spool);
  }

  /**
   * Gives sealed bytes their place for good: once this resolves, they are there after a power cut.
   *
   * @param path `files/…`, which no other blob has
   * @throws {Problem} `storage_full`, `storage_missing`
   */
  async put(path: string, blob: NewBlob): Promise<void> {
    await blob.synced();
    await reportStorage(async () => {
      await Deno.rename(blob.path, this.#locate(path));
      using files = await Deno.open(`${this.#folder}/files`);
      await files.sync();
    });
  }

  /**
   * @param range of the blob's bytes; all of them without it
   * @throws {Deno.errors.NotFound} where no blob has this path
   * @throws {Problem} `storage_missing`
   */
  async read(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const file = await this.#present(() => Deno.open(this.#locate(path)));
    if (range === undefined) return file.readable;
    await file.seek(range.start, Deno.SeekMode.Start);
    return beginningOf(file, range.end - range.start + 1);
  }

  /**
   * The blob as a file, which stays until it is disposed of, also if the blob is removed meanwhile.
   *
   * @throws {Deno.errors.NotFound} where no blob has this path
   * @throws {Problem} `storage_missing`
   */
  localCopy(path: string): Promise<LocalFile> {
    return this.#present(() => this.#spool.hold(this.#locate(path)));
  }

  /** Tells a blob that is not there from a store that is not. */
  async #present<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        await Deno.stat(`${this.#folder}/files`).catch(() => {
          throw storageMissing();
        });
      }
      throw error;
    }
  }

  async has(path: string): Promise<boolean> {
    try {
      await Deno.stat(this.#locate(path));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** Paths of all blobs. */
  async list(): Promise<Set<string>> {
    const paths = new Set<string>();
    for await (const { name } of Deno.readDir(`${this.#folder}/files`)) paths.add(`files/${name}`);
    return paths;
  }

  /** Nothing happens where no blob has this path. */
  async remove(path: string): Promise<void> {
    await removeIfThere(this.#locate(path));
  }

  #locate(path: string): string {
    return `${this.#folder}/${path}`;
  }
}

/** How much is read at once. */
const CHUNK_BYTES = 256 * 1024;

/** The next `length` bytes of a file, which is closed at their end. */
function beginningOf(file: Deno.FsFile, length: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = length;
  return new ReadableStream({
    async pull(controller) {
      const chunk = new Uint8Array(Math.min(left, CHUNK_BYTES));
      const read = await file.read(chunk);
      if (read === null) {
        file.close();
        throw new Error(`Cannot read a file to its end: ${left} bytes are missing`);
      }
      left -= read;
      controller.enqueue(chunk.subarray(0, read));
      if (left > 0) return;
      file.close();
      controller.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}
