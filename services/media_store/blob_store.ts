/**
 * Where the bytes of entities lie: `files/` in the store's folder, one file for each. What is still
 * being written lies in `incoming/` and belongs to nobody, so whatever a crash leaves there is
 * thrown away at the next start.
 *
 * @module
 */
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
    return new BlobStore(folder);
  }

  /** A blob to write into, which is gone after its block unless it was kept. */
  begin(): Promise<NewBlob> {
    const path = `${this.#folder}/incoming/${crypto.randomUUID()}`;
    return NewBlob.create(path, (bytes) => this.#bytesReceived += bytes);
  }

  /** How much was written since the store was opened, kept or not. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /**
   * Gives a finished blob its place for good: once this resolves, it is there after a power cut.
   *
   * @param path `files/…`, which no other blob has
   * @throws {Problem} `storage_full`
   */
  async keep(blob: NewBlob, path: string): Promise<void> {
    await reportFull(async () => {
      await Deno.rename(blob.path, `${this.#folder}/${path}`);
      using files = await Deno.open(`${this.#folder}/files`);
      await files.sync();
    });
  }

  /** @throws {Deno.errors.NotFound} where no blob has this path */
  async read(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return (await Deno.open(`${this.#folder}/${path}`)).readable;
  }

  /** Nothing happens where no blob has this path. */
  async remove(path: string): Promise<void> {
    await removeIfThere(`${this.#folder}/${path}`);
  }

  /** Paths of all blobs that were kept. */
  async paths(): Promise<Set<string>> {
    const paths = new Set<string>();
    for await (const { name } of Deno.readDir(`${this.#folder}/files`)) paths.add(`files/${name}`);
    return paths;
  }

  /** Writes a byte and removes it: fails where an upload would. */
  async probe(): Promise<void> {
    await using blob = await this.begin();
    await blob.write(new Uint8Array(1));
    await blob.finish();
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
