/**
 * Whatever understands uploaded bytes does so in a thread of its own: a file that is made to keep a
 * parser busy holds up no other request, and costs its thread when it takes too long.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Inspection, MediaMetadata } from "./media_metadata.ts";
import { Thread } from "../thread.ts";

/** Honest headers take some milliseconds. */
const LIMIT_MS = 10_000;

const SCRIPT = new URL("inspector_worker.ts", import.meta.url);

export interface InspectorOptions {
  limitMs?: number;
  /** Its thread ends when it had nothing to do for so long; unset: never. */
  idleMs?: number | undefined;
  /** What the thread may do; unset: what the process may. */
  permissions?: Deno.PermissionOptions | undefined;
  /** What the thread runs. */
  script?: URL;
}

export class Inspector implements Disposable {
  readonly #thread: Thread<Inspection, MediaMetadata>;

  constructor(options: InspectorOptions = {}) {
    const { limitMs = LIMIT_MS, idleMs, permissions, script = SCRIPT } = options;
    this.#thread = new Thread({ script, limitMs, idleMs, permissions });
    this.#thread.start();
  }

  /**
   * Reads the metadata of one file after the other.
   *
   * @throws {Problem} `unsupported_media`, `image_unreadable`, `image_truncated`, `image_too_large`;
   * `service_busy`, see [note: a busy machine]
   */
  async inspect(inspection: Inspection): Promise<MediaMetadata> {
    try {
      return await this.#thread.ask(inspection);
    } catch (error) {
      if (!(error instanceof Problem) || !FAULTS.includes(error.code)) throw error;
      const detail = "file's header can't be read in reasonable time or memory";
      throw new Problem("image_unreadable", detail);
    }
  }

  [Symbol.dispose](): void {
    this.#thread[Symbol.dispose]();
  }
}

/** What becomes of a thread whose file is at fault. */
const FAULTS = ["deadline_exceeded", "worker_lost"];
