/**
 * Where the bytes of entities lie: `files/` in the store's folder, one file for each. What is still
 * being written lies in `incoming/` and belongs to nobody, so whatever a crash leaves there is
 * thrown away at the next start. What was made from a file, and can be made again, lies in
 * `thumbnails/`, in a folder of that file's name, and goes with it.
 *
 * @module
 */
import type { ByteRange } from "../transfer/byte_range.ts";
import { NewBlob } from "./new_blob.ts";
import { reportFull } from "./storage_full.ts";

export class BlobStore {
  readonly #folder: string;
  #bytesReceived = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the store in an existing folder that this process alone uses. */
  static async open(folder: string): Promise<BlobStore> {
    await removeIfThere(`${folder}/incoming`);
    await Deno.mkdir(`${folder}/incoming`);
    await Deno.mkdir(`${folder}/files`, { recursive: true });
    await Deno.mkdir(`${folder}/thumbnails`, { recursive: true });
    const store = new BlobStore(folder);
    await store.#removeStrayThumbnails();
    return store;
  }

  /** A blob to receive a file into, which is gone after its block unless it was kept. */
  begin(): Promise<NewBlob> {
    return this.#begin((bytes) => this.#bytesReceived += bytes);
  }

  /** How much was received since the store was opened, kept or not. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  #begin(onWrite?: (bytes: number) => void): Promise<NewBlob> {
    return NewBlob.create(`${this.#folder}/incoming/${crypto.randomUUID()}`, onWrite);
  }

  /**
   * Gives a finished blob its place for good: once this resolves, it is there after a power cut.
   *
   * @param path `files/…`, which no other blob has
   * @throws {Problem} `storage_full`
   */
  async keep(blob: NewBlob, path: string): Promise<void> {
    await reportFull(async () => {
      await Deno.rename(blob.path, this.locate(path));
      using files = await Deno.open(`${this.#folder}/files`);
      await files.sync();
    });
  }

  /** Where a blob lies, for those who read it by themselves. */
  locate(path: string): string {
    return `${this.#folder}/${path}`;
  }

  /**
   * @param range of the blob's bytes; all of them without it
   * @throws {Deno.errors.NotFound} where no blob has this path
   */
  async read(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const file = await Deno.open(this.locate(path));
    if (range === undefined) return file.readable;
    await file.seek(range.start, Deno.SeekMode.Start);
    return beginningOf(file, range.end - range.start + 1);
  }

  /** A thumbnail that was kept for a blob. */
  async readThumbnail(path: string, name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await Deno.readFile(`${this.#thumbnailsOf(path)}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /**
   * Keeps a thumbnail for a blob until that is removed.
   *
   * @throws {Problem} `storage_full`
   */
  async keepThumbnail(path: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await using thumbnail = await this.#begin();
    await thumbnail.write(bytes);
    await thumbnail.finish();
    const folder = this.#thumbnailsOf(path);
    await reportFull(async () => {
      await Deno.mkdir(folder, { recursive: true });
      await Deno.rename(thumbnail.path, `${folder}/${name}`);
    });
    // The blob may have been removed while its thumbnail was made.
    if (!await isThere(this.locate(path))) await removeIfThere(folder);
  }

  /** Removes a blob and what was made from it. Nothing happens where no blob has this path. */
  async remove(path: string): Promise<void> {
    await removeIfThere(this.locate(path));
    await removeIfThere(this.#thumbnailsOf(path));
  }

  /** Paths of all blobs that were kept. */
  async paths(): Promise<Set<string>> {
    const paths = new Set<string>();
    for await (const { name } of Deno.readDir(`${this.#folder}/files`)) paths.add(`files/${name}`);
    return paths;
  }

  #thumbnailsOf(path: string): string {
    return this.locate(path).replace(/files\/([^/]+)$/, "thumbnails/$1");
  }

  /** A crash may come between the removal of a blob and that of its thumbnails. */
  async #removeStrayThumbnails(): Promise<void> {
    const present = await this.paths();
    for await (const { name } of Deno.readDir(`${this.#folder}/thumbnails`)) {
      if (!present.has(`files/${name}`)) await removeIfThere(`${this.#folder}/thumbnails/${name}`);
    }
  }

  /** Writes a byte and removes it: fails where an upload would. */
  async probe(): Promise<void> {
    await using blob = await this.#begin();
    await blob.write(new Uint8Array(1));
    await blob.finish();
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

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
