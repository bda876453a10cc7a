import { Problem } from "@fovea/contract";
import type { Order, Report } from "./messages.ts";

export interface MemberOptions {
  script: URL;
  /** Milliseconds without an order after which it ends by itself. */
  idle: number;
  onEnd: (why: WorkerEnd) => void;
}

/** Why a worker's thread may end. */
export const WORKER_ENDS = ["idle", "deadline", "memory", "died", "closing"] as const;
export type WorkerEnd = typeof WORKER_ENDS[number];

/** A worker thread and the orders it has not reported on yet. */
export class Member {
  readonly #thread: Worker;
  readonly #options: MemberOptions;
  readonly #waiting: Array<PromiseWithResolvers<Report>> = [];
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#thread = new Worker(options.script, { type: "module" });
    this.#thread.onmessage = ({ data }: MessageEvent<Report>) => {
      this.#waiting.shift()?.resolve(data);
      if (this.busy) return;
      const idle = new Problem("worker_lost", "worker had nothing to do");
      this.#idle = setTimeout(() => this.end(idle, "idle"), options.idle);
    };
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.end(new Problem("worker_lost", `worker died: ${event.message}`), "died");
    };
  }

  get busy(): boolean {
    return this.#waiting.length > 0;
  }

  /** @throws {Problem} the reason for which the worker ended before it could report */
  ask(order: Order): Promise<Report> {
    clearTimeout(this.#idle);
    const waiting = Promise.withResolvers<Report>();
    this.#waiting.push(waiting);
    this.#thread.postMessage(order);
    return waiting.promise;
  }

  /** @param reason what those hear who wait for a report */
  end(reason: Problem, why: WorkerEnd): void {
    clearTimeout(this.#idle);
    this.#thread.terminate();
    this.#options.onEnd(why);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}
