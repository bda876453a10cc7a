import { createHash } from "node:crypto";
import { requireRoom } from "./free_room.ts";
import { reportStorage } from "./storage_failure.ts";

/** What is known of bytes without understanding them. */
export interface Digests {
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  md5: string;
  sha256: string;
}

/** How much is written between two looks at the room that is left. */
const BYTES_PER_LOOK = 1024 * 1024;

/**
 * A blob that is being written, digested on the way. Disposing of it removes its file, unless the
 * store has taken that over.
 */
export class NewBlob implements AsyncDisposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #onWrite: (bytes: number) => void;
  readonly #md5 = createHash("md5");
  readonly #sha256 = createHash("sha256");
  #size = 0;
  #nextLook = 0;
  #syncing: Promise<void> | undefined;
  #closed = false;

  private constructor(path: string, file: Deno.FsFile, onWrite: (bytes: number) => void) {
    this.path = path;
    this.#file = file;
    this.#onWrite = onWrite;
  }

  /** @param onWrite told how many bytes have come in, each time some do */
  static async create(
    path: string,
    onWrite: (bytes: number) => void = () => {},
  ): Promise<NewBlob> {
    const file = await reportStorage(() => Deno.open(path, { write: true, createNew: true }));
    return new NewBlob(path, file, onWrite);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** @throws {Problem} `storage_full`, also where only the reserve is left [note: reserve] */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#size >= this.#nextLook) {
      await requireRoom(this.path);
      this.#nextLook = this.#size + BYTES_PER_LOOK;
    }
    this.#size += bytes.length;
    this.#onWrite(bytes.length);
    const written = reportStorage(async () => {
      let rest = bytes;
      while (rest.length > 0) rest = rest.subarray(await this.#file.write(rest));
    });
    // While the disk is at work.
    this.#md5.update(bytes);
    this.#sha256.update(bytes);
    await written;
  }

  /**
   * Begins to bring the bytes to the disk, which {@link NewBlob.synced} waits for: meanwhile others may
   * read them. Nothing can be written afterwards.
   */
  seal(): Digests {
    const syncing = reportStorage(() => this.#file.sync());
    // Whoever waits for it hears of it.
    syncing.catch(() => {});
    this.#syncing = syncing;
    return {
      size: this.#size,
      md5: this.#md5.digest("hex"),
      sha256: this.#sha256.digest("hex"),
    };
  }

  /** Waits until the bytes of a sealed blob are on the disk. @throws {Problem} `storage_full` */
  async synced(): Promise<void> {
    await this.#syncing;
    this.#close();
  }

  /** Seals the blob, and waits until its bytes are on the disk. @throws {Problem} `storage_full` */
  async finish(): Promise<Digests> {
    const digests = this.seal();
    await this.synced();
    return digests;
  }

  #close(): void {
    if (!this.#closed) this.#file.close();
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing?.catch(() => {});
    this.#close();
    try {
      await Deno.remove(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
