/**
 * Files that nobody owns yet, or that are needed as files for a moment: `incoming/` in the store's
 * folder. Whatever a crash leaves there is thrown away at the next start.
 *
 * @module
 */
import { NewBlob } from "./new_blob.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** A file on this machine's disk, which goes when it is disposed of. */
export interface LocalFile extends AsyncDisposable {
  path: string;
}

export class Spool {
  readonly #folder: string;
  #bytesReceived = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder of the store, which this process alone uses */
  static async open(folder: string): Promise<Spool> {
    await removeIfThere(`${folder}/incoming`);
    await Deno.mkdir(`${folder}/incoming`);
    return new Spool(`${folder}/incoming`);
  }

  /** A file to write, which is gone after its block unless it was put somewhere. */
  begin(): Promise<NewBlob> {
    return NewBlob.create(this.#newPath());
  }

  /** The same for what a client sends, which is counted. */
  receive(): Promise<NewBlob> {
    return NewBlob.create(this.#newPath(), (bytes) => this.#bytesReceived += bytes);
  }

  /** How much was received since the start, kept or not. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /**
   * Makes a file of one that is on this disk already, and may go meanwhile.
   *
   * @throws {Deno.errors.NotFound} where it is not there
   */
  async hold(source: string): Promise<LocalFile> {
    const path = this.#newPath();
    try {
      await Deno.link(source, path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw error;
      // Some file systems have no links.
      await Deno.copyFile(source, path);
    }
    return { path, [Symbol.asyncDispose]: () => removeIfThere(path) };
  }

  /** Writes a byte and removes it: fails where an upload would. */
  async probe(): Promise<void> {
    await using file = await this.begin();
    await file.write(new Uint8Array(1));
    await file.finish();
  }

  #newPath(): string {
    return `${this.#folder}/${crypto.randomUUID()}`;
  }
}
