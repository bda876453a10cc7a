/**
 * The workers: up to one thread a core, each with all models loaded. A worker that overruns a job's
 * deadline, dies or outgrows its memory is ended, and only the job it had notices. One that has had
 * nothing to do for a while is ended too, which is how its memory comes back; the next job brings
 * up another.
 *
 * @module
 */
import type { Logger } from "@fovea/common/log";
import { Problem, type TaskType } from "@fovea/contract";
import type { ModelFile } from "../tasks/task.ts";
import { Member, type WorkerEnd } from "./member.ts";
import type { Order, Outcome, WorkerJob, WorkerSettings } from "./messages.ts";

export interface PoolOptions {
  size: number;
  settings: WorkerSettings;
  /** Milliseconds a job may take in a worker. */
  deadline: number;
  /** Milliseconds without a job after which a worker is ended. */
  idle: number;
  log: Logger;
  /** Told whenever a worker has become free. */
  onFree: () => void;
  /** Told whenever a worker's thread has ended. */
  onEnd?: (why: WorkerEnd) => void;
  /** What a worker runs. */
  script?: URL;
}

/** How much a worker's WebAssembly may grow after its models were loaded, bytes: a picture of the largest size allowed needs about half of it. */
export const MAX_GROWTH = 768 * 1024 * 1024;

/** Before another worker takes the place of one that ended while it was starting, milliseconds. */
const REPLACEMENT_PAUSE = 5000;

const NO_TIMES = { fetch: 0, decode: 0, infer: 0 };

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

  /** How many workers there are at most. */
  get size(): number {
    return this.#options.size;
  }

  /** How many threads there are just now. */
  get alive(): number {
    return this.#members.size;
  }

  /** Whether a job would be begun at once, or as soon as a worker has come up for it. */
  get hasFree(): boolean {
    return this.#free() !== undefined ||
      (this.#members.size < this.size && this.#pause === undefined);
  }

  /**
   * Has every worker load a model and run it until it is warm; later workers will load it too.
   *
   * @throws {Problem} `model_unavailable` where it can't be loaded
   */
  async load(task: TaskType, model: ModelFile): Promise<void> {
    if (this.#members.size === 0) this.#employ();
    // Noted first: a worker that comes up meanwhile is to load it too.
    this.#models.set(task, model);
    const order = { kind: "load", task, model } as const;
    const reports = await Promise.all([...this.#members].map((member) => member.ask(order)));
    for (const report of reports) {
      if (report.kind !== "cannot_load") continue;
      this.#models.delete(task);
      throw new Problem(
        "model_unavailable",
        `model ${model.name} can't be loaded: ${report.detail}`,
      );
    }
    this.#options.onFree();
  }

  /** Gives a job to a worker; {@link hasFree} must hold. A lost worker is an outcome, not an error. */
  async run(job: WorkerJob): Promise<Outcome> {
    const member = this.#free() ?? this.#employ();
    const { deadline, log } = this.#options;
    const timer = setTimeout(() => {
      log.warn({ ...job, deadline }, "worker ended: its job overran the deadline");
      member.end(
        new Problem("deadline_exceeded", `job took longer than ${deadline / 1000} s`),
        "deadline",
      );
    }, deadline);
    try {
      const report = await member.ask({ kind: "run", job });
      if (report.kind !== "ended") throw new Error(`worker answered a job with "${report.kind}"`);
      if (report.growth > MAX_GROWTH) {
        log.warn({ ...job, growth: report.growth }, "worker ended: it outgrew its memory");
        member.end(new Problem("worker_lost", "worker outgrew its memory"), "memory");
      }
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
    for (const member of this.#members) {
      member.end(new Problem("worker_lost", "service is ending"), "closing");
    }
  }

  #free(): Member | undefined {
    return [...this.#members].find((member) => !member.busy);
  }

  /** Takes on a worker, which is busy until it has loaded every model there is. */
  #employ(): Member {
    const { script, settings, idle, log, onFree, onEnd } = this.#options;
    const member = new Member({
      script: script ?? new URL("./worker.ts", import.meta.url),
      idle,
      onEnd: (why) => {
        this.#members.delete(member);
        onEnd?.(why);
      },
    });
    this.#members.add(member);
    const orders: Order[] = [{ kind: "start", settings }];
    for (const [task, model] of this.#models) orders.push({ kind: "load", task, model });
    Promise.all(orders.map((order) => member.ask(order))).then(onFree, (reason: Problem) => {
      if (this.#closed) return;
      log.error({ reason: reason.message }, "worker ended while it was starting");
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        onFree();
      }, REPLACEMENT_PAUSE);
    });
    return member;
  }
}
