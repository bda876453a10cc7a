/**
 * The workers: one thread a core, each with all models loaded. A worker that overruns a job's
 * deadline or dies is replaced, and only the job it had notices.
 *
 * @module
 */
import type { Logger } from "@fovea/common/log";
import { Problem, type TaskType } from "@fovea/contract";
import type { ModelFile } from "../tasks/task.ts";
import type { Order, Outcome, Report, WorkerJob, WorkerSettings } from "./messages.ts";

export interface PoolOptions {
  size: number;
  settings: WorkerSettings;
  /** Milliseconds a job may take in a worker. */
  deadline: number;
  log: Logger;
  /** Told whenever a worker has become free. */
  onFree: () => void;
}

/** Before another worker takes the place of one that died while it was starting, milliseconds. */
const REPLACEMENT_PAUSE = 5000;

const NO_TIMES = { fetch: 0, decode: 0, infer: 0 };

/** A thread and the orders it has not reported on yet. */
class Member {
  readonly #thread = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #waiting: Array<PromiseWithResolvers<Report>> = [];
  readonly #onEnd: () => void;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#thread.onmessage = ({ data }: MessageEvent<Report>) =>
      this.#waiting.shift()?.resolve(data);
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
    const waiting = Promise.withResolvers<Report>();
    this.#waiting.push(waiting);
    this.#thread.postMessage(order);
    return waiting.promise;
  }

  end(reason: Problem): void {
    this.#thread.terminate();
    this.#onEnd();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #members = new Set<Member>();
  readonly #models = new Map<TaskType, ModelFile>();
  #pause: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.size; i++) this.#employ();
  }

  get size(): number {
    return this.#options.size;
  }

  get hasFree(): boolean {
    return this.#free() !== undefined;
  }

  /**
   * Has every worker load a model and run it until it is warm; later workers will load it too.
   *
   * @throws {Problem} `model_unavailable` where it can't be loaded
   */
  async load(task: TaskType, model: ModelFile): Promise<void> {
    const order = { kind: "load", task, model } as const;
    const reports = await Promise.all([...this.#members].map((member) => member.ask(order)));
    for (const report of reports) {
      if (report.kind !== "cannot_load") continue;
      throw new Problem(
        "model_unavailable",
        `model ${model.name} can't be loaded: ${report.detail}`,
      );
    }
    this.#models.set(task, model);
    this.#options.onFree();
  }

  /** Gives a job to a free worker; there must be one. A lost worker is an outcome, not an error. */
  async run(job: WorkerJob): Promise<Outcome> {
    const member = this.#free();
    if (member === undefined) throw new Error("no worker is free");
    const { deadline, log } = this.#options;
    const timer = setTimeout(() => {
      log.warn({ ...job, deadline }, "worker ended: its job overran the deadline");
      member.end(new Problem("deadline_exceeded", `job took longer than ${deadline / 1000} s`));
    }, deadline);
    try {
      const report = await member.ask({ kind: "run", job });
      if (report.kind !== "ended") throw new Error(`worker answered a job with "${report.kind}"`);
      return report.outcome;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { ok: false, code: error.code, detail: error.message, times: NO_TIMES };
    } finally {
      clearTimeout(timer);
      this.#options.onFree();
    }
  }

  /** Ends all workers, whatever they are doing. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    for (const member of this.#members) member.end(new Problem("worker_lost", "service is ending"));
  }

  #free(): Member | undefined {
    return [...this.#members].find((member) => !member.busy);
  }

  /** Takes on a worker, which is busy until it has loaded every model there is. */
  #employ(): void {
    let ready = false;
    const member = new Member(() => {
      this.#members.delete(member);
      if (this.#closed) return;
      if (ready) this.#employ();
      else this.#pause = setTimeout(() => this.#employ(), REPLACEMENT_PAUSE);
    });
    this.#members.add(member);
    const orders: Order[] = [{ kind: "start", settings: this.#options.settings }];
    for (const [task, model] of this.#models) orders.push({ kind: "load", task, model });
    Promise.all(orders.map((order) => member.ask(order))).then(
      () => {
        ready = true;
        this.#options.onFree();
      },
      (error: Problem) => {
        if (!this.#closed) {
          this.#options.log.error({ reason: error.message }, "worker did not start");
        }
      },
    );
  }
}
