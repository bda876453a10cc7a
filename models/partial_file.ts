/**
 * A file on its way: `<path>.part`, hashed as it grows, which gets its name only when its bytes are
 * the expected ones. [note: one at a time] Its writer holds a lock on it. So two processes that
 * want the same file take turns, and what a process left that has died is resumed.
 *
 * @module
 */
import { isFileAt } from "@fovea/vit/file_identity";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Digest, mismatch } from "./digest.ts";
import { SourceRefused } from "./source_refused.ts";

const READ_BYTES = 1 << 20;
const LOCK_PAUSE_MS = 250;

export interface PartialFileOptions {
  signal?: AbortSignal | undefined;
  /** Called with the bytes there are and the bytes expected. */
  onProgress?: ((received: number, total: number) => void) | undefined;
  /** Called once where another process holds the partial file. */
  onWait?: (() => void) | undefined;
}

export class PartialFile implements AsyncDisposable {
  readonly path: string;
  readonly expected: Digest;
  readonly #file: Deno.FsFile;
  readonly #onProgress: (received: number, total: number) => void;
  #hash = createHash("sha256");
  #received = 0;
  #named = false;

  private constructor(
    path: string,
    expected: Digest,
    file: Deno.FsFile,
    options: PartialFileOptions,
  ) {
    this.path = path;
    this.expected = expected;
    this.#file = file;
    this.#onProgress = options.onProgress ?? (() => {});
  }

  /**
   * Opens the partial file of `path`, once no other process has it open, with what it holds already.
   *
   * @throws the signal's reason when it aborts while waiting
   */
  static async open(
    path: string,
    expected: Digest,
    options: PartialFileOptions = {},
  ): Promise<PartialFile> {
    const file = await openLocked(`${path}.part`, options);
    const partial = new PartialFile(path, expected, file, options);
    try {
      await partial.#readExisting();
    } catch (error) {
      file.close();
      throw error;
    }
    return partial;
  }

  /** Bytes there are. */
  get received(): number {
    return this.#received;
  }

  /**
   * Adds the whole chunk, or nothing of it.
   *
   * @throws {SourceRefused} where there would be more bytes than expected; all of them are dropped then
   */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.#received + chunk.length > this.expected.bytes) {
      await this.restart();
      throw new SourceRefused(`is longer than the expected ${this.expected.bytes} bytes`);
    }
    try {
      for (let written = 0; written < chunk.length;) {
        written += await this.#file.write(chunk.subarray(written));
      }
    } catch (error) {
      // Such as a full disk: what was written of the chunk must not stay before what comes next.
      await this.#cutTo(this.#received);
      throw error;
    }
    this.#hash.update(chunk);
    this.#received += chunk.length;
    this.#onProgress(this.#received, this.expected.bytes);
  }

  /** Drops what there is. */
  async restart(): Promise<void> {
    await this.#cutTo(0);
    this.#hash = createHash("sha256");
    this.#received = 0;
  }

  /** What is wrong with the bytes there are; null where they are the expected ones. */
  mismatch(): string | null {
    const got = { bytes: this.#received, sha256: this.#hash.copy().digest("hex") };
    return mismatch(basename(this.path), got, this.expected);
  }

  /**
   * Gives the file its name.
   *
   * @throws {SourceRefused} where its bytes are not the expected ones, which are dropped then
   */
  async finish(): Promise<void> {
    const wrong = this.mismatch();
    if (wrong !== null) {
      await this.restart();
      throw new SourceRefused(wrong);
    }
    await this.#file.sync();
    await Deno.rename(`${this.path}.part`, this.path);
    this.#named = true;
  }

  /** Closes the partial file, and leaves what there is of it for the next try. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#named && this.#received === 0) await Deno.remove(`${this.path}.part`);
    } finally {
      this.#file.close();
    }
  }

  async #cutTo(length: number): Promise<void> {
    await this.#file.truncate(length);
    await this.#file.seek(length, Deno.SeekMode.Start);
  }

  async #readExisting(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    for (let read; (read = await this.#file.read(buffer)) !== null;) {
      this.#hash.update(buffer.subarray(0, read));
      this.#received += read;
    }
    if (this.#received > this.expected.bytes) await this.restart();
  }
}

async function openLocked(path: string, options: PartialFileOptions): Promise<Deno.FsFile> {
  for (;;) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      await lock(file, options);
      // The process that had the lock before may have renamed or removed the file.
      if (await isFileAt(path, file)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

async function lock(file: Deno.FsFile, { signal, onWait }: PartialFileOptions): Promise<void> {
  if (await file.tryLock(true)) return;
  onWait?.();
  do {
    await pause(LOCK_PAUSE_MS);
    signal?.throwIfAborted();
  } while (!await file.tryLock(true));
}
