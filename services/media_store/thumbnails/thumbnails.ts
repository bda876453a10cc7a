/**
 * Thumbnails of entities' pictures: made once, in threads, and kept on the disk beside the store's
 * files for as long as their picture is there.
 *
 * @module
 */
import { DECODABLE, DECODERS } from "@fovea/pictures/kinds";
import type { Logger } from "@fovea/process/log";
import { Problem, type ProblemCode, PROBLEMS } from "@fovea/contract";
import type { BlobStore } from "../blobs/blob_store.ts";
import type { FileItem } from "../entities/file_metadata.ts";
import type { ThumbnailCache } from "./cache.ts";
import { Thread } from "../thread.ts";
import {
  RENDER_VERSION,
  type ThumbnailFormat,
  type ThumbnailRequest,
  type ThumbnailSize,
} from "./thumbnail.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Pictures of 50 million pixels take a quarter of it. */
const LIMIT_MS = 20_000;

/** More would take cores that uploads and downloads need, and memory for one more large picture. */
const MAX_THREADS = 2;

/** Thumbnails to be made at once; who comes later is asked to come again. */
const MAX_WAITING = 200;

/** How long a picture that failed is not tried again: each try may cost a whole deadline. */
const FAILURE_MS = 600_000;
const MAX_FAILURES = 1000;

/** What is the picture's fault. */
const FAILURES: readonly ProblemCode[] = [
  "image_unreadable",
  "image_truncated",
  "image_too_large",
  "deadline_exceeded",
  "worker_lost",
];

const SCRIPT = new URL("worker.ts", import.meta.url);

export interface ThumbnailOptions {
  blobs: BlobStore;
  cache: ThumbnailCache;
  /** Width × height of a picture may not be more. */
  maxPixels: number;
  log: Logger;
  limitMs?: number;
  /** A thread ends when it had nothing to do for so long; unset: never. */
  idleMs?: number | undefined;
  maxWaiting?: number;
  /** What a thread may do; unset: what the process may. */
  permissions?: Deno.PermissionOptions | undefined;
  /** What a thread runs. */
  script?: URL;
}

/** How often what became of thumbnails, since the start. */
export interface ThumbnailCounts {
  made: number;
  /** Taken from the disk. */
  cached: number;
  /** Tried to be made, and were not. */
  failed: number;
  bytesMade: number;
}

export class Thumbnails implements Disposable {
  readonly #options: Required<ThumbnailOptions>;
  readonly #threads: Thread<ThumbnailRequest, Bytes>[];
  readonly #counts: ThumbnailCounts = { made: 0, cached: 0, failed: 0, bytesMade: 0 };
  /** What is being made, by its key: many who ask for the same at once cause it to be made once. */
  readonly #making = new Map<string, Promise<Bytes>>();
  /** What failed lately, by the digest of its picture. */
  readonly #failures = new Map<string, { problem: Problem; until: number }>();

  constructor(options: ThumbnailOptions) {
    this.#options = {
      limitMs: LIMIT_MS,
      idleMs: undefined,
      permissions: undefined,
      maxWaiting: MAX_WAITING,
      script: SCRIPT,
      ...options,
    };
    const { script, limitMs, idleMs, permissions } = this.#options;
    this.#threads = Array.from(
      { length: Math.min(navigator.hardwareConcurrency, MAX_THREADS) },
      () => new Thread({ script, limitMs, idleMs, permissions }),
    );
  }

  get counts(): Readonly<ThumbnailCounts> {
    return this.#counts;
  }

  /** Names the bytes of a thumbnail: the same key, the same bytes. */
  key({ sha256 }: FileItem, size: ThumbnailSize, format: ThumbnailFormat): string {
    return `${sha256}-${size}-${RENDER_VERSION}.${format}`;
  }

  /**
   * @throws {Problem} `no_thumbnail`, `image_unreadable`, `image_too_large`, `deadline_exceeded`,
   * `worker_lost`, `queue_full`, `service_busy`
   * @throws {Deno.errors.NotFound} where the picture's file is not there
   */
  async get(item: FileItem, size: ThumbnailSize, format: ThumbnailFormat): Promise<Bytes> {
    if (DECODERS[item.mime_type] === undefined) throw noThumbnail(item);
    const key = this.key(item, size, format);
    const kept = await this.#options.cache.read(item.file_path, key);
    if (kept !== undefined) {
      this.#counts.cached++;
      return kept;
    }
    let making = this.#making.get(key);
    if (making === undefined) {
      making = this.#make(item, size, format).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    return await making;
  }

  async #make(item: FileItem, size: ThumbnailSize, format: ThumbnailFormat): Promise<Bytes> {
    const { blobs, maxPixels, log } = this.#options;
    this.#refuseFailed(item);
    await using local = await blobs.localCopy(item.file_path);
    const asked = this.#leastBusy().ask({ path: local.path, size, format, maxPixels });
    try {
      const thumbnail = await asked;
      this.#counts.made++;
      this.#counts.bytesMade += thumbnail.length;
      await this.#keep(item, this.key(item, size, format), thumbnail);
      return thumbnail;
    } catch (error) {
      this.#counts.failed++;
      if (error instanceof Problem) {
        // A picture that can't be read is no failure of the service.
        const level = PROBLEMS[error.code].status < 500 ? "info" : "warn";
        log[level]({ entity_id: item.id, code: error.code, detail: error.message }, "no thumbnail");
        this.#noteFailure(item, error);
      }
      throw error;
    }
  }

  #leastBusy(): Thread<ThumbnailRequest, Bytes> {
    const waiting = this.#threads.reduce((sum, thread) => sum + thread.waiting, 0);
    if (waiting >= this.#options.maxWaiting) {
      throw new Problem(
        "queue_full",
        `${waiting} thumbnails are waiting to be made, the most that may: ask again later`,
        { retry_after_s: 1 },
      );
    }
    return this.#threads.toSorted((a, b) => a.waiting - b.waiting)[0]!;
  }

  /** Without a place in the cache, on a full disk perhaps, a thumbnail is good for an answer still. */
  async #keep(item: FileItem, key: string, thumbnail: Bytes): Promise<void> {
    try {
      await this.#options.cache.put(item.file_path, key, thumbnail);
    } catch (error) {
      this.#options.log.warn({ err: error, entity_id: item.id }, "a thumbnail could not be cached");
    }
  }

  #refuseFailed({ sha256 }: FileItem): void {
    const failure = this.#failures.get(sha256);
    if (failure === undefined) return;
    if (Date.now() < failure.until) throw failure.problem;
    this.#failures.delete(sha256);
  }

  #noteFailure({ sha256 }: FileItem, problem: Problem): void {
    // Others pass by themselves, and say nothing of the picture. [note: a busy machine]
    if (!FAILURES.includes(problem.code) || this.#failures.has(sha256)) return;
    if (this.#failures.size >= MAX_FAILURES) this.#failures.clear();
    this.#failures.set(sha256, { problem, until: Date.now() + FAILURE_MS });
  }

  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread[Symbol.dispose]();
  }
}

function noThumbnail({ mime_type }: FileItem): Problem {
  return new Problem("no_thumbnail", `file is ${mime_type}: thumbnails are made of ${DECODABLE}`);
}
