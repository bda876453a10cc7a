/**
 * Brings jobs and workers together. It does something only when it is woken, since there may be
 * something to do: a job came or was requeued, a worker became free, a model was loaded.
 *
 * @module
 */
import { CONNECTION_REFUSED, type ProblemCode, PROBLEMS } from "@fovea/contract";
import type { Logger } from "@fovea/process/log";
import { setImmediate } from "node:timers";
import type { ServedModels } from "../tasks/served_models.ts";
import type { Outcome } from "../workers/messages.ts";
import type { WorkerPool } from "../workers/pool.ts";
import type { MediaStoreOutage } from "../media_store_outage.ts";
import { type Attempts, mustRunAlone, RETRY_PAUSE } from "./attempts.ts";
import { MAX_WAIT_MS } from "./queue.ts";
import type { JobRow } from "../database/jobs.ts";

export interface DispatcherOptions {
  attempts: Attempts;
  pool: WorkerPool;
  models: ServedModels;
  outage: MediaStoreOutage;
  now: () => number;
  log: Logger;
}

/** Before what could not be written is written again. */
const WRITE_RETRY_MS = 1000;

/** Codes of outcomes that may mean that media_store is away. */
const OUTAGE_CODES: readonly ProblemCode[] = ["media_store_unreachable", "media_store_error"];

interface Run {
  /** Of the job; a job_id may come again while the worker still stops. */
  seq: number;
  alone: boolean;
  /** Stops the worker. */
  stop: AbortController;
  ended: Promise<void>;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running = new Set<Run>();
  #dispatching: Promise<void> | undefined;
  #woken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  /** Running jobs are being released: what comes of them now does not count. */
  #releasing = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Begins with what waits already. */
  start(): void {
    this.#admitAfter(0);
  }

  wake(): void {
    this.#woken = true;
    if (this.#dispatching !== undefined || this.#stopped) return;
    this.#dispatching = this.#dispatch().catch((error) => this.#tryAgain(error)).finally(() => {
      this.#dispatching = undefined;
      if (this.#woken) this.wake();
    });
  }

  /** Stops the worker that is busy with a job, if one is. */
  cancel(seq: number): void {
    // What began it may have been written together with what cancelled it, and is heard first.
    setImmediate(() => this.#stopRun(seq));
  }

  /**
   * Begins no more jobs and waits for those that run; what has not ended within the grace
   * is stopped and released into the queue.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const timer = setTimeout(() => {
      this.#releasing = true;
      for (const { stop } of this.#running) stop.abort();
    }, graceMs);
    // What is being begun just now is not begun after this has returned.
    await this.#dispatching;
    await Promise.all(Array.from(this.#running, ({ ended }) => ended));
    clearTimeout(timer);
  }

  async #dispatch(): Promise<void> {
    const { attempts, pool } = this.#options;
    while (this.#woken && !this.#stopped) {
      this.#woken = false;
      pool.checkHealth(MAX_WAIT_MS);
      while (pool.free > 0 && this.#mayBegin) {
        const isIdle = this.#running.size === 0;
        const { result: jobs, committed } = await attempts.begin(pool.free, isIdle);
        if (this.#stopped) return await this.#releaseAll(jobs);
        for (const job of jobs) this.#run(job);
        committed.catch((error) => {
          for (const { seq } of jobs) this.#stopRun(seq);
          this.#tryAgain(error);
        });
        if (jobs.length > 0) continue;
        pool.checkHealth(0);
        break;
      }
    }
  }

  /** Not while the service ends, media_store is away, or a job is to be alone. */
  get #mayBegin(): boolean {
    if (this.#stopped || this.#options.outage.reason !== null) return false;
    for (const { alone } of this.#running) if (alone) return false;
    return true;
  }

  #run(job: JobRow): void {
    const stop = new AbortController();
    const ended = this.#serve(job, stop.signal).finally(() => {
      this.#running.delete(run);
      // One that is to be alone may wait for this: the pool said before that a worker is free.
      if (this.#running.size === 0 && this.#options.attempts.someRunAlone) this.wake();
    });
    const run: Run = { seq: job.seq, alone: mustRunAlone(job), stop, ended };
    this.#running.add(run);
  }

  async #releaseAll(jobs: readonly JobRow[]): Promise<void> {
    await Promise.all(jobs.map((job) => this.#write(() => this.#options.attempts.release(job))));
  }

  #stopRun(seq: number): void {
    for (const run of this.#running) if (run.seq === seq) run.stop.abort();
  }

  /** Has those jobs dispatched whose pause is over, and sees to those whose pause is not. */
  async #admitDue(): Promise<void> {
    const due = await this.#options.attempts.admitDue();
    this.wake();
    if (due === undefined) return;
    const pauseMs = Math.max(0, due - this.#options.now());
    this.#admitAfter(Math.min(pauseMs, RETRY_PAUSE.maxMs));
  }

  async #serve(job: JobRow, signal: AbortSignal): Promise<void> {
    const { attempts, pool, models, outage, log } = this.#options;
    const model = models.used(job.task_type);
    const { job_id, task_type, media_store_id } = job;
    const options = JSON.parse(job.options);
    const outcome = await pool.run({ task: task_type, entityId: media_store_id, options }, signal);
    if (!outcome.ok && OUTAGE_CODES.includes(outcome.code) && await outage.isAway()) {
      // A call that did not arrive is not why media_store went away; or this service is ending.
      const hasArrived = !outcome.detail.endsWith(CONNECTION_REFUSED);
      if (outage.reason === null || !hasArrived) return await this.#releaseAll([job]);
      const waiting = await this.#write(() => attempts.interrupt(job));
      if (waiting?.status === "error") {
        const { error_code: code, error_message: detail } = waiting;
        log.warn({ job_id, task_type, media_store_id, code, detail }, "job not done");
      }
      return;
    }
    const recorded = await this.#write(() => this.#recordOutcome(job, outcome, model));
    if (recorded?.status === "pending") this.#admitAfter(0);
    const fact = {
      job_id,
      task_type,
      media_store_id,
      status: recorded?.status,
      ...outcome.timingsMs,
    };
    if (outcome.ok) return log.info(fact, "job done");
    // A picture that can't be read is no failure of the service.
    const level = PROBLEMS[outcome.code].status < 500 ? "info" : "warn";
    log[level]({ ...fact, code: outcome.code, detail: outcome.detail }, "job not done");
  }

  async #recordOutcome(
    job: JobRow,
    outcome: Outcome,
    model: ReturnType<ServedModels["used"]>,
  ): Promise<JobRow | undefined> {
    const { attempts } = this.#options;
    const brokenOff = !outcome.ok && outcome.code === "cancelled";
    if (!brokenOff) return await attempts.recordOutcome(job, outcome, model);
    return this.#releasing ? await attempts.release(job) : undefined;
  }

  /** Until it is written: a job must not be lost because the disk is full for a while. */
  async #write<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (true) {
      try {
        return await work();
      } catch (error) {
        this.#options.log.error({ err: error }, "outcome of a job can't be written: trying again");
        // What is still "processing" in the database is requeued at the next start.
        if (this.#stopped) return undefined;
        await new Promise((resolve) => setTimeout(resolve, WRITE_RETRY_MS));
      }
    }
  }

  #admitAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#admitDue().catch((error) => this.#tryAgain(error));
    }, delayMs);
  }

  #tryAgain(error: unknown): void {
    this.#options.log.error({ err: error }, "jobs can't be dispatched: trying again");
    this.#admitAfter(WRITE_RETRY_MS);
  }
}
