/**
 * One worker thread: the orders it has not reported on yet, and whether it is fit.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { LentTower } from "../tasks/shared_towers.ts";
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

export interface MemberOptions {
  /** 1…size of the pool: the place that the thread fills. */
  place: number;
  script: URL;
  /** Milliseconds without a job after which it ends by itself. */
  idle: number;
  /** Told once, while {@link Member.busy} still says whether somebody waits for it. */
  onEnd: (reason: EndReason | "idle" | "closed", why: Problem) => void;
}

export class Member {
  readonly place: number;
  /** Resolves when it has everything loaded; rejects where that fails. */
  ready: Promise<unknown> = Promise.resolve();
  /** When the canary was answered rightly, by performance.now(); undefined until it has been for every model. */
  fitAt: number | undefined;
  /** What it was lent to compute with, until it ends. */
  readonly towers: LentTower[] = [];
  readonly #thread: Worker;
  readonly #options: MemberOptions;
  #posted = Promise.resolve();
  readonly #waiting: Array<PromiseWithResolvers<Report>> = [];
  /** Once it is to be replaced by a smaller one: milliseconds without a job after which that happens. */
  #recycleMs: number | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #workedAt = performance.now();
  #ended = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.place = options.place;
    this.#thread = new Worker(options.script, { type: "module" });
    this.#thread.onmessage = ({ data }: MessageEvent<Report>) => {
      this.#waiting.shift()?.resolve(data);
      if (data.kind !== "canary_answer") this.#workedAt = performance.now();
      if (!this.busy) this.#endWhenIdle();
    };
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.end("died", new Problem("worker_lost", `worker died: ${event.message}`));
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

  /** Has another take its place once it has had nothing to do for so many milliseconds. */
  recycleAfter(idleMs: number): void {
    if (this.#recycleMs !== undefined) return;
    this.#recycleMs = idleMs;
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (!this.busy) this.#endWhenIdle();
  }

  /** @param why what those who wait for it are told */
  end(reason: EndReason | "idle" | "closed", why: Problem): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#idle);
    this.#thread.terminate();
    this.#options.onEnd(reason, why);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(why);
  }

  /** In the order of asking, whatever still has to be waited for. */
  #post(message: Order | Cancel | Promise<Order>): void {
    this.#posted = this.#posted.then(async () => this.#thread.postMessage(await message))
      .catch(({ message }: Error) => this.end("died", new Problem("worker_lost", message)));
  }

  /** One timer for many jobs: it looks again where there was one meanwhile. */
  #endWhenIdle(): void {
    const limit = Math.min(this.#recycleMs ?? Infinity, this.#options.idle);
    const left = () => this.#workedAt + limit - performance.now();
    this.#idle ??= setTimeout(() => {
      this.#idle = undefined;
      if (this.busy) return;
      if (left() > 0) return this.#endWhenIdle();
      const why = new Problem("worker_lost", "worker had nothing to do");
      this.end(limit === this.#options.idle ? "idle" : "recycled", why);
    }, Math.max(0, left()));
  }
}
