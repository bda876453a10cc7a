/**
 * The threads that scan an index together, one search after the other.
 *
 * @module
 */
import { threadPermissions } from "@fovea/process/permissions";
import { BestSlots } from "./best_slots.ts";
import type {
  RangeRequest,
  ScanReply,
  ScanRequest,
  ScanSetup,
  ScanThreadReply,
  ScanThreadRequest,
  ScoredSlots,
} from "./messages.ts";

/** Far more than a million rows take on a busy machine. */
const DEADLINE_MS = 30_000;

export class ScanThreads implements Disposable {
  readonly #workers: Worker[];

  constructor(setup: Omit<ScanSetup, "thread">) {
    this.#workers = Array.from({ length: setup.threads }, (_, thread) => {
      const worker = new Worker(new URL("./scan_worker.ts", import.meta.url), {
        type: "module",
        deno: { permissions: threadPermissions() },
        name: `scan ${thread}`,
      });
      worker.postMessage({ ...setup, thread } satisfies ScanSetup);
      return worker;
    });
  }

  /** @throws {Error} where a thread died, or does not answer: they are to be disposed of then */
  async scan(request: ScanRequest): Promise<ScanReply> {
    const replies = await this.#ask<ScanReply>(request);
    const total = (member: "eligible" | "sum" | "squares") =>
      replies.reduce((sum, reply) => sum + reply[member], 0);
    return {
      ...best(joined(replies), request.limit),
      eligible: total("eligible"),
      sum: total("sum"),
      squares: total("squares"),
    };
  }

  /** Of what the last scan has made. @throws {Error} as {@link scan} */
  async range(request: RangeRequest): Promise<ScoredSlots> {
    return joined(await this.#ask<ScoredSlots>(request));
  }

  #ask<Reply extends ScanThreadReply>(request: ScanThreadRequest): Promise<Reply[]> {
    return Promise.all(this.#workers.map((worker) => answerOf<Reply>(worker, request)));
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

function answerOf<Reply>(worker: Worker, request: ScanThreadRequest): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const timer = setTimeout(
    () => reject(new Error(`a thread of the index has not answered for ${DEADLINE_MS / 1000} s`)),
    DEADLINE_MS,
  );
  worker.onmessage = ({ data }: MessageEvent<Reply>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`a thread of the index died: ${event.message}`));
  };
  worker.postMessage(request);
  return promise.finally(() => clearTimeout(timer));
}

function joined(replies: ScoredSlots[]): ScoredSlots {
  const [only] = replies;
  if (only !== undefined && replies.length === 1) return only;
  return {
    slots: Int32Array.from(replies.flatMap(({ slots }) => [...slots])),
    scores: Float64Array.from(replies.flatMap(({ scores }) => [...scores])),
  };
}

/** Each thread has told its own best: of all of them these are. */
function best({ slots, scores }: ScoredSlots, limit: number): ScoredSlots {
  if (slots.length <= limit) return { slots, scores };
  const kept = new BestSlots(limit);
  slots.forEach((slot, i) => kept.add(scores[i]!, slot));
  return kept.result();
}
