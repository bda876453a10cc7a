/**
 * The workers: up to one thread a core, each with all models loaded. A worker that overruns a job's
 * deadline, dies, outgrows its memory or gives a wrong answer is ended, and only the job it had
 * notices. One that has had nothing to do for a while is ended too, which is how its memory comes
 * back; the next job brings up another.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { Problem, type TaskType } from "@fovea/contract";
import type { ModelFile } from "../tasks/model_file.ts";
import type { Engine } from "../tasks/served_models.ts";
import type { SharedTowers } from "../tasks/shared_towers.ts";
import { faultOf } from "./canary_check.ts";
import { CanarySchedule } from "./canary_schedule.ts";
import { LoadedModels } from "./loaded_models.ts";
import type { Outcome, WorkerJob, WorkerSettings } from "./messages.ts";
import { END_REASONS, type EndReason, PooledWorker } from "./pooled_worker.ts";
import { ReplacementPause } from "./replacement_pause.ts";
import { WaitingJobs } from "./waiting_jobs.ts";

export interface PoolOptions {
  size: number;
  settings: WorkerSettings;
  /** Null: ONNX Runtime runs every model. */
  towers: SharedTowers | null;
  /** For a job in a worker. */
  deadlineMs: number;
  /** A worker that has had no job for so long is ended. */
  idleMs: number;
  log: Logger;
  /** Called whenever a worker has become free, or is to be shown the canary. */
  onFree: () => void;
  /** What a worker runs. */
  script?: URL;
  /** What workers may do; unset: all that the process may. */
  permissions?: Deno.PermissionOptions;
  /** Between two canaries of a worker. */
  canaryIntervalMs?: number;
  /** For a worker's answer to all canaries. */
  canaryDeadlineMs?: number;
  /** For a worker to load a model whose weights are at hand, and to show that it is healthy. */
  loadDeadlineMs?: number;
  /** Before another worker takes the place of one that can't be started, or died with nothing to do. */
  replacementPauseMs?: number;
  /** A worker that holds much memory and has had no job for so long makes room for another. */
  recycleAfterMs?: number;
}

/** How the workers are. */
export interface PoolState {
  size: number;
  /** Threads there are just now. */
  alive: number;
  busy: number;
  /** Threads ended since the start of the service, by reason; having nothing to do is none. */
  restarts: Record<EndReason, number>;
  /** What is wrong with a worker, by its number, until another in its place has given the known answers. */
  unfit: Record<number, string>;
}

/**
 * How much a worker's WebAssembly may grow after its models were loaded, bytes, for each pixel that a
 * picture may have: one of the largest size needs about half of it.
 */
export const MAX_GROWTH_A_PIXEL = 16;

/** One that has grown by more, bytes, is replaced when it has had nothing to do for a while: such memory never shrinks. */
const GROWTH_AT_REST = 32 * 1024 * 1024;

/** For a worker to come back by itself from work that overran the deadline, before it is broken off. */
const BREAK_OFF_GRACE_MS = 1000;

/** For a worker to stop a job by itself, before it is stopped together with it. */
const CANCEL_GRACE_MS = 1000;

const DEFAULTS = {
  canaryIntervalMs: 5 * 60_000,
  canaryDeadlineMs: 20_000,
  loadDeadlineMs: 2 * 60_000,
  replacementPauseMs: 5000,
  recycleAfterMs: 20_000,
};

const NO_TIMINGS = { fetch: 0, decode: 0, infer: 0 };

export class WorkerPool {
  readonly #options: PoolOptions & typeof DEFAULTS;
  readonly #workers = new Set<PooledWorker>();
  readonly #models: LoadedModels;
  readonly #canaries: CanarySchedule;
  readonly #waiting = new WaitingJobs<PooledWorker, Outcome>();
  readonly #unfit = new Map<number, string>();
  readonly #restarts = Object.fromEntries(END_REASONS.map((reason) => [reason, 0])) as Record<
    EndReason,
    number
  >;
  /** Until it is over no worker is started. */
  readonly #replacementPause: ReplacementPause;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#models = new LoadedModels(this.#options);
    this.#replacementPause = new ReplacementPause(this.#options.replacementPauseMs);
    this.#canaries = new CanarySchedule(this.#options.canaryIntervalMs, options.onFree);
    for (let i = 0; i < options.size; i++) this.#spawn();
  }

  /** How many workers there are at most. */
  get size(): number {
    return this.#options.size;
  }

  get state(): PoolState {
    return {
      size: this.size,
      alive: this.#workers.size,
      busy: [...this.#workers].filter(({ busy }) => busy).length,
      restarts: { ...this.#restarts },
      unfit: Object.fromEntries(this.#unfit),
    };
  }

  /** How many jobs would be begun at once, or as soon as workers have come up for them. */
  get free(): number {
    let free = this.#vacant;
    for (const worker of this.#workers) if (!worker.busy) free++;
    return Math.max(0, free - this.#waiting.count);
  }

  /** How many further workers may be taken on now. */
  get #vacant(): number {
    return this.#closed || !this.#replacementPause.isOver ? 0 : this.size - this.#workers.size;
  }

  /**
   * Has every worker load a model, run it until it is warm and give the known answer to the canary;
   * later workers will too.
   *
   * @throws {Problem} `model_unavailable` where it can't be loaded, or gives a wrong answer
   */
  async load(task: TaskType, model: ModelFile): Promise<Engine> {
    if (this.#workers.size === 0) this.#spawn();
    try {
      return await this.#models.add(task, model, this.#workers);
    } finally {
      this.#canaries.update(this.#workers);
      this.#announceFree();
    }
  }

  /**
   * Gives a job to a worker, to the next one that is free where none is. A lost worker is an outcome,
   * not an error.
   *
   * @param signal stops the job, with the outcome `cancelled`; a worker that does not listen is ended
   */
  run(job: WorkerJob, signal?: AbortSignal): Promise<Outcome> {
    const worker = this.#take();
    if (worker !== undefined) return this.#runOn(worker, job, signal);
    if (this.#closed) return Promise.resolve(notDone(serviceIsEnding()));
    return this.#waiting.add((worker) => this.#runOn(worker, job, signal), signal).catch(notDone);
  }

  async #runOn(worker: PooledWorker, job: WorkerJob, signal?: AbortSignal): Promise<Outcome> {
    const { deadlineMs, settings, log } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    // What a worker takes to come up is not the job's fault.
    worker.ready.then(() => {
      if (ended) return;
      timer ??= setTimeout(() => {
        log.warn({ ...job, deadlineMs }, "worker ended: its job overran the deadline");
        const why = new Problem("deadline_exceeded", `job took longer than ${deadlineMs / 1000} s`);
        worker.end("deadline", why);
      }, deadlineMs);
    }, () => {});
    const cancel = () => {
      worker.cancel();
      clearTimeout(timer);
      timer = setTimeout(() => {
        log.info({ ...job }, "worker ended: its job was cancelled and did not stop");
        worker.end(
          "cancelled",
          new Problem("cancelled", "job was cancelled, and its worker ended"),
        );
      }, CANCEL_GRACE_MS);
    };
    try {
      const asked = worker.ask({ kind: "run", job });
      if (signal?.aborted) cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      const report = await asked;
      if (report.kind !== "ended") throw new Error(`worker answered a job with "${report.kind}"`);
      const { outcome, growth } = report;
      if (growth > Math.max(GROWTH_AT_REST, MAX_GROWTH_A_PIXEL * settings.maxPixels)) {
        log.warn({ ...job, growth }, "worker ended: it outgrew its memory");
        worker.end("memory", new Problem("worker_lost", "worker outgrew its memory"));
      } else if (growth > GROWTH_AT_REST) worker.recycleAfter(this.#options.recycleAfterMs);
      if (!outcome.ok && outcome.code === "deadline_exceeded") {
        worker.end("deadline", new Problem("deadline_exceeded", outcome.detail));
      }
      return outcome;
    } catch (error) {
      return notDone(error);
    } finally {
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      this.#announceFree();
    }
  }

  /**
   * Shows the canary to free workers whose time for it has come. [note: canary]
   *
   * @param latenessMs how late they may be: 0 where no job waits
   */
  checkHealth(latenessMs: number): void {
    for (const worker of this.#canaries.due(this.#workers, latenessMs)) {
      void this.#checkHealthOf(worker);
    }
    this.#canaries.update(this.#workers);
  }

  /** Ends all workers, whatever they are doing. */
  close(): void {
    this.#closed = true;
    this.#replacementPause.close();
    this.#canaries.close();
    const why = serviceIsEnding();
    this.#waiting.endAll(why);
    for (const worker of this.#workers) worker.end("closed", why);
  }

  /** A worker for one job, which has to be given to it before anything else happens. */
  #take(): PooledWorker | undefined {
    for (const worker of this.#workers) if (!worker.busy) return worker;
    return this.#vacant > 0 ? this.#spawn() : undefined;
  }

  /** To be called whenever a worker may have become free, or its place. */
  #announceFree(): void {
    this.#waiting.beginOn(() => this.#take());
    if (!this.#closed) this.#options.onFree();
  }

  /** Starts a worker, which is busy until it has loaded every model there is. */
  #spawn(): PooledWorker {
    const { script, permissions = "inherit", settings, idleMs, deadlineMs } = this.#options;
    const taken = new Set(Array.from(this.#workers, ({ place }) => place));
    let place = 1;
    while (taken.has(place)) place++;
    const worker = new PooledWorker({
      place,
      script: script ?? new URL("./worker.ts", import.meta.url),
      permissions,
      idleMs,
      onEnd: (reason, why) => this.#onEnd(worker, reason, why),
    });
    this.#workers.add(worker);
    const limitMs = deadlineMs + BREAK_OFF_GRACE_MS;
    worker.ready = worker.ask({ kind: "start", settings, limitMs });
    worker.ready = Promise.all([worker.ready, this.#models.loadAllInto(worker)]);
    worker.ready.then(() => {
      this.#unfit.delete(place);
      this.#canaries.update(this.#workers);
      this.#announceFree();
    }, (why: Problem) => {
      if (this.#closed) return;
      this.#options.log.error({ worker: place, reason: why.message }, "worker can't be started");
      worker.end("canary", why);
      this.#replaceSoon(place, why);
    });
    return worker;
  }

  #onEnd(worker: PooledWorker, reason: EndReason | "idle" | "closed", why: Problem): void {
    const { place, busy } = worker;
    this.#workers.delete(worker);
    if (reason !== "idle" && reason !== "closed") this.#restarts[reason]++;
    if (reason === "recycled") this.#spawn();
    if (reason !== "died") return;
    this.#options.log.error({ worker: place, reason: why.cause ?? why.message }, "worker died");
    // The one who waits for a busy worker sees to what comes next.
    if (!busy) this.#replaceSoon(place, why);
  }

  #replaceSoon(place: number, why: Problem): void {
    this.#unfit.set(place, why.message);
    this.#replacementPause.begin(() => {
      if (this.#vacant > 0) this.#spawn();
      this.#announceFree();
    });
  }

  async #checkHealthOf(worker: PooledWorker): Promise<void> {
    const { canaryDeadlineMs, log } = this.#options;
    const fault = await faultOf(worker, this.#models, canaryDeadlineMs);
    // One that has ended already was noticed.
    if (fault !== null && this.#workers.has(worker)) {
      const { reason, detail } = fault;
      this.#unfit.set(worker.place, detail);
      log.error({ worker: worker.place, reason: detail }, "worker ended: it is not healthy");
      worker.end(reason, new Problem("worker_lost", detail));
      this.#spawn();
    }
    this.#announceFree();
  }
}

function notDone(why: unknown): Outcome {
  if (!(why instanceof Problem)) throw why;
  return { ok: false, sha256: null, code: why.code, detail: why.message, timingsMs: NO_TIMINGS };
}

function serviceIsEnding(): Problem {
  return new Problem("worker_lost", "service is ending");
}
