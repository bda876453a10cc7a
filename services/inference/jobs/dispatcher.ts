import type { Logger } from "@fovea/common/log";
import type { WorkerPool } from "../workers/pool.ts";
import type { ServedModels } from "../tasks/served_models.ts";
import type { JobService } from "./service.ts";
import type { JobRow } from "./tables.ts";

export interface DispatcherOptions {
  jobs: JobService;
  pool: WorkerPool;
  models: ServedModels;
  now: () => number;
  log: Logger;
}

/**
 * Brings jobs and workers together. It does something only when it is told that there may be
 * something to do: a job came or was put back, a worker became free, a model was loaded.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running = new Set<Promise<void>>();
  #dispatching = false;
  #woken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  wake(): void {
    this.#woken = true;
    if (this.#dispatching || this.#stopped) return;
    this.#dispatching = true;
    this.#dispatch().catch((error) => {
      this.#options.log.error({ err: error }, "jobs can't be dispatched");
    }).finally(() => {
      this.#dispatching = false;
      if (this.#woken) this.wake();
    });
  }

  /** Begins no more jobs, and waits for those that run, at most so many milliseconds. */
  async stop(patience: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const impatience = new Promise<void>((resolve) => timer = setTimeout(resolve, patience));
    await Promise.race([Promise.all(this.#running), impatience]);
    clearTimeout(timer);
  }

  async #dispatch(): Promise<void> {
    const { jobs, pool } = this.#options;
    while (this.#woken && !this.#stopped) {
      this.#woken = false;
      while (pool.hasFree && !this.#stopped) {
        const job = await jobs.begin();
        if (job === undefined) break;
        const running = this.#serve(job).finally(() => this.#running.delete(running));
        this.#running.add(running);
      }
    }
    await this.#wakeWhenDue();
  }

  async #serve(job: JobRow): Promise<void> {
    const { jobs, pool, models, log } = this.#options;
    const model = models.used(job.task_type);
    const { job_id, task_type, media_store_id } = job;
    try {
      const outcome = await pool.run({
        task: task_type,
        entityId: media_store_id,
        options: JSON.parse(job.options),
      });
      const settled = await jobs.settle(job, outcome, model);
      const status = settled?.status ?? "cancelled";
      const fact = { job_id, task_type, media_store_id, status, ...outcome.times };
      if (outcome.ok) log.info(fact, "job done");
      else log.warn({ ...fact, code: outcome.code, detail: outcome.detail }, "job not done");
    } catch (error) {
      // It stays "processing" and is put back at the next start.
      log.error({ err: error, job_id }, "outcome of a job can't be written");
    }
  }

  async #wakeWhenDue(): Promise<void> {
    const { jobs, now } = this.#options;
    const due = await jobs.nextDue();
    clearTimeout(this.#timer);
    if (due === undefined || this.#stopped) return;
    this.#timer = setTimeout(() => this.wake(), Math.max(0, due - now()));
  }
}
