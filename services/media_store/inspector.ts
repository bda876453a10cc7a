/**
 * Whatever understands uploaded bytes does so in a thread of its own: a file that is made to keep a
 * parser busy holds up no other request, and costs its thread when it takes too long.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Inspection, MediaFacts } from "./media_facts.ts";
import type { Finding } from "./media_facts_worker.ts";
import { Turns } from "./turns.ts";

/** Honest headers take some milliseconds. */
const DEADLINE_MS = 10_000;

export class Inspector implements Disposable {
  readonly #turns = new Turns();
  readonly #deadlineMs: number;
  #thread = startThread();

  constructor(deadlineMs = DEADLINE_MS) {
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Reads the facts of one file after the other.
   *
   * @throws {Problem} `unsupported_media`, `image_unreadable`, `image_too_large`
   */
  inspect(inspection: Inspection): Promise<MediaFacts> {
    return this.#turns.take(async () => {
      const finding = await this.#ask(inspection);
      if ("facts" in finding) return finding.facts;
      if ("problem" in finding) throw new Problem(finding.problem, finding.detail);
      throw new Error(`Cannot inspect a file: ${finding.error}`);
    });
  }

  #ask(inspection: Inspection): Promise<Finding> {
    return new Promise((resolve) => {
      const thread = this.#thread;
      const replaceThread = (finding: Finding) => {
        thread.terminate();
        this.#thread = startThread();
        resolve(finding);
      };
      const timer = setTimeout(() => {
        const detail = "file's header can't be read in reasonable time";
        replaceThread({ problem: "image_unreadable", detail });
      }, this.#deadlineMs);
      thread.onmessage = ({ data }: MessageEvent<Finding>) => {
        clearTimeout(timer);
        resolve(data);
      };
      thread.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        replaceThread({ error: event.message });
      };
      thread.postMessage(inspection);
    });
  }

  [Symbol.dispose](): void {
    this.#thread.terminate();
  }
}

function startThread(): Worker {
  return new Worker(new URL("media_facts_worker.ts", import.meta.url), { type: "module" });
}
