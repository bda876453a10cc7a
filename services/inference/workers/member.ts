import { Problem } from "@fovea/contract";
import type { Order, Report } from "./messages.ts";

export interface MemberOptions {
  script: URL;
  /** Milliseconds without an order after which it ends by itself. */
  idle: number;
  onEnd: () => void;
}

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
      this.#idle = setTimeout(() => this.end(idle), options.idle);
    };
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.end(new Problem("worker_lost", `worker died: ${event.message}`));
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

  end(reason: Problem): void {
    clearTimeout(this.#idle);
    this.#thread.terminate();
    this.#options.onEnd();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}
