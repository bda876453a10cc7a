/**
 * One worker thread: the orders it has not reported on yet, and whether it is healthy.
 *
 * @module
 */
import { Problem, publicMessage } from "@fovea/contract";
import type { Cancel, Order, Report } from "./messages.ts";

/** Why a thread was ended, other than for having nothing to do. */
export const END_REASONS = [
  "deadline",
  "died",
  "memory",
  "recycled",
  "cancelled",
  "canary",
  "stuck",
] as const;
export type EndReason = typeof END_REASONS[number];

export interface PooledWorkerOptions {
  /** 1…size of the pool: the place that the thread fills. */
  place: number;
  script: URL;
  /** What the thread may do, of what the process may. */
  permissions: Deno.PermissionOptions;
  /** Without a job for so long it ends by itself; Infinity: never. */
  idleMs: number;
  /** Called once, while {@link PooledWorker.busy} still says whether somebody waits for it. */
  onEnd: (reason: EndReason | "idle" | "closed", why: Problem) => void;
}

export class PooledWorker {
  readonly place: number;
  /** Resolves when it has everything loaded; rejects where that fails. */
  ready: Promise<unknown> = Promise.resolve();
  /** When the canary was answered rightly, by performance.now(); undefined until it has been for every model. */
  healthyAt: number | undefined;
  readonly #thread: Worker;
  readonly #options: PooledWorkerOptions;
  #posted = Promise.resolve();
  readonly #waiting: Array<PromiseWithResolvers<Report>> = [];
  /** Once it is to be replaced by a smaller one: so long without a job, that happens. */
  #recycleAfterMs: number | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #workedAt = performance.now();
  readonly #whenEnded: Array<() => void> = [];
  #ended = false;

  constructor(options: PooledWorkerOptions) {
    this.#options = options;
    this.place = options.place;
    this.#thread = new Worker(options.script, {
      type: "module",
      deno: { permissions: options.permissions },
    });
    this.#thread.onmessage = ({ data }: MessageEvent<Report>) => {
      this.#waiting.shift()?.resolve(data);
      if (data.kind !== "canary_answer") this.#workedAt = performance.now();
      if (!this.busy) this.#endWhenIdle();
    };
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.end("died", lost(`worker died: ${publicMessage(event.message)}`, event.message));
    };
  }

  get busy(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * @param order what is asked later waits for it, where it is still on its way
   * @throws {Problem} the reason for which the worker ended before it could report
   */
  ask(order: Order | Promise<Order>): Promise<Report> {
    const waiting = Promise.withResolvers<Report>();
    this.#waiting.push(waiting);
    this.#post(order);
    return waiting.promise;
  }

  /** Has it stop the job it is at, as soon as it listens. */
  cancel(): void {
    this.#post({ kind: "cancel" });
  }

  /** Has something done when it has ended: at once where it has. */
  whenEnded(done: () => void): void {
    if (this.#ended) done();
    else this.#whenEnded.push(done);
  }

  /** Has another take its place once it has had nothing to do for so long. */
  recycleAfter(idleMs: number): void {
    if (this.#recycleAfterMs !== undefined) return;
    this.#recycleAfterMs = idleMs;
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (!this.busy) this.#endWhenIdle();
  }

  /** @param why the error that those who wait for it get */
  end(reason: EndReason | "idle" | "closed", why: Problem): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#idle);
    this.#thread.terminate();
    for (const done of this.#whenEnded) done();
    this.#options.onEnd(reason, why);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(why);
  }

  /** In the order of asking, whatever still has to be waited for. */
  #post(message: Order | Cancel | Promise<Order>): void {
    this.#posted = this.#posted.then(async () => this.#thread.postMessage(await message))
      .catch((error) => this.end("died", lost(publicMessage(error), error.message)));
  }

  /** One timer for many jobs: it looks again where there was one meanwhile. */
  #endWhenIdle(): void {
    const limitMs = Math.min(this.#recycleAfterMs ?? Infinity, this.#options.idleMs);
    if (limitMs === Infinity) return;
    const left = () => this.#workedAt + limitMs - performance.now();
    this.#idle ??= setTimeout(() => {
      this.#idle = undefined;
      if (this.busy) return;
      if (left() > 0) return this.#endWhenIdle();
      const why = new Problem("worker_lost", "worker had nothing to do");
      this.end(limitMs === this.#options.idleMs ? "idle" : "recycled", why);
    }, Math.max(0, left()));
  }
}

/** @param reason in full, for the log: it may name files */
function lost(detail: string, reason: string): Problem {
  return Object.assign(new Problem("worker_lost", detail), { cause: reason });
}
