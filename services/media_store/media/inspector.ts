/**
 * Whatever understands uploaded bytes does so in a thread of its own: a file that is made to keep a
 * parser busy holds up no other request, and costs its thread when it takes too long.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Inspection, MediaMetadata } from "./media_metadata.ts";
import type { Finding } from "./inspector_worker.ts";
import { Thread } from "../thread.ts";

/** Honest headers take some milliseconds. */
const DEADLINE_MS = 10_000;

/** WebAssembly gives no memory back; ending its thread does. */
const IDLE_MS = 60_000;

const SCRIPT = new URL("inspector_worker.ts", import.meta.url);

export class Inspector implements Disposable {
  readonly #thread: Thread<Inspection, Finding>;

  /** @param script what the thread runs */
  constructor(deadlineMs = DEADLINE_MS, script = SCRIPT) {
    this.#thread = new Thread({ script, deadlineMs, idleMs: IDLE_MS });
    this.#thread.start();
  }

  /**
   * Reads the metadata of one file after the other.
   *
   * @throws {Problem} `unsupported_media`, `image_unreadable`, `image_truncated`, `image_too_large`
   */
  async inspect(inspection: Inspection): Promise<MediaMetadata> {
    const finding = await this.#ask(inspection);
    if ("metadata" in finding) return finding.metadata;
    if ("problem" in finding) throw new Problem(finding.problem, finding.detail);
    throw new Error(`Cannot inspect a file: ${finding.error}`);
  }

  async #ask(inspection: Inspection): Promise<Finding> {
    try {
      return await this.#thread.ask(inspection);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const detail = "file's header can't be read in reasonable time or memory";
      throw new Problem("image_unreadable", detail);
    }
  }

  [Symbol.dispose](): void {
    this.#thread[Symbol.dispose]();
  }
}
