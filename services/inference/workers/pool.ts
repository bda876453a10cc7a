/**
 * The workers: up to one thread a core, each with all models loaded. A worker that overruns a job's
 * deadline, dies, outgrows its memory or gives a wrong answer is ended, and only the job it had
 * notices. One that has had nothing to do for a while is ended too, which is how its memory comes
 * back; the next job brings up another.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { type JobResult, Problem, type TaskType } from "@fovea/contract";
import { BACKEND_NAMES } from "../tasks/backend.ts";
import { TASKS } from "../tasks/list.ts";
import type { Engine } from "../tasks/served_models.ts";
import { type LentTower, type SharedTowers, towerBackend } from "../tasks/shared_towers.ts";
import type { ModelFile } from "../tasks/task.ts";
import { faultOf } from "./canary.ts";
import { END_REASONS, type EndReason, Member } from "./member.ts";
import type { Outcome, WorkerJob, WorkerSettings } from "./messages.ts";
import { WaitingJobs } from "./waiting_jobs.ts";

export interface PoolOptions {
  size: number;
  settings: WorkerSettings;
  /** Null: ONNX Runtime runs every model. */
  towers: SharedTowers | null;
  /** Milliseconds a job may take in a worker. */
  deadline: number;
  /** Milliseconds without a job after which a worker is ended. */
  idle: number;
  log: Logger;
  /** Told whenever a worker has become free, or is to be shown the canary. */
  onFree: () => void;
  /** What a worker runs. */
  script?: URL;
  /** Milliseconds between two canaries of a worker. */
  canaryEvery?: number;
  /** Milliseconds a worker has for its answer to all canaries. */
  canaryDeadline?: number;
  /** Milliseconds a worker has to load a model whose weights are at hand, and to show that it is fit. */
  loadDeadline?: number;
  /** Milliseconds before another worker takes the place of one that can't be started, or died with nothing to do. */
  replacementPause?: number;
  /** Milliseconds without a job after which a worker that holds much memory makes room for another. */
  recycleAfter?: number;
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

/** Milliseconds a worker has to come back by itself from work that overran the deadline, before it is broken off. */
const BREAK_OFF_GRACE = 1000;

/** Milliseconds a worker has to stop a job by itself, before it is stopped together with it. */
const CANCEL_GRACE = 1000;

const DEFAULTS = {
  canaryEvery: 5 * 60_000,
  canaryDeadline: 20_000,
  loadDeadline: 2 * 60_000,
  replacementPause: 5000,
  recycleAfter: 20_000,
};

const NO_TIMES = { fetch: 0, decode: 0, infer: 0 };

export class WorkerPool {
  readonly #options: PoolOptions & typeof DEFAULTS;
  readonly #members = new Set<Member>();
  readonly #models = new Map<TaskType, ModelFile>();
  /** The first worker's answers to the canary, by task. */
  readonly #answers = new Map<TaskType, JobResult>();
  readonly #engines = new Map<TaskType, Engine>();
  readonly #unfit = new Map<number, string>();
  readonly #waiting = new WaitingJobs<Member, Outcome>();
  readonly #restarts = Object.fromEntries(END_REASONS.map((reason) => [reason, 0])) as Record<
    EndReason,
    number
  >;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #canaryTimer: ReturnType<typeof setTimeout> | undefined;
  /** When it goes off, by performance.now(). */
  #canaryDue = Infinity;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = { ...DEFAULTS, ...options };
    for (let i = 0; i < options.size; i++) this.#employ();
  }

  /** How many workers there are at most. */
  get size(): number {
    return this.#options.size;
  }

  get state(): PoolState {
    return {
      size: this.size,
      alive: this.#members.size,
      busy: [...this.#members].filter(({ busy }) => busy).length,
      restarts: { ...this.#restarts },
      unfit: Object.fromEntries(this.#unfit),
    };
  }

  /** How many jobs would be begun at once, or as soon as workers have come up for them. */
  get free(): number {
    let free = this.#vacant;
    for (const member of this.#members) if (!member.busy) free++;
    return Math.max(0, free - this.#waiting.count);
  }

  /** How many further workers may be taken on now. */
  get #vacant(): number {
    return this.#closed || this.#pause !== undefined ? 0 : this.size - this.#members.size;
  }

  /**
   * Has every worker load a model, run it until it is warm and give the known answer to the canary;
   * later workers will too.
   *
   * @throws {Problem} `model_unavailable` where it can't be loaded, or gives a wrong answer
   */
  async load(task: TaskType, model: ModelFile): Promise<Engine> {
    if (this.#members.size === 0) this.#employ();
    // Noted first: a worker that comes up meanwhile is to load it too.
    this.#models.set(task, model);
    try {
      await Promise.all(Array.from(this.#members, (member) => this.#loadInto(member, task, model)));
    } catch (error) {
      this.#models.delete(task);
      this.#answers.delete(task);
      throw new Problem("model_unavailable", (error as Problem).message);
    } finally {
      this.#announceFree();
    }
    return this.#engines.get(task)!;
  }

  /**
   * Gives a job to a worker, to the next one that is free where none is. A lost worker is an outcome,
   * not an error.
   *
   * @param signal stops the job, with the outcome `cancelled`; a worker that does not listen is ended
   */
  run(job: WorkerJob, signal?: AbortSignal): Promise<Outcome> {
    const member = this.#take();
    if (member !== undefined) return this.#runOn(member, job, signal);
    if (this.#closed) return Promise.resolve(notDone(serviceIsEnding()));
    return this.#waiting.add((member) => this.#runOn(member, job, signal), signal).catch(notDone);
  }

  async #runOn(member: Member, job: WorkerJob, signal?: AbortSignal): Promise<Outcome> {
    const { deadline, settings, log } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    // What a worker takes to come up is not the job's fault.
    member.ready.then(() => {
      if (ended) return;
      timer ??= setTimeout(() => {
        log.warn({ ...job, deadline }, "worker ended: its job overran the deadline");
        const why = new Problem("deadline_exceeded", `job took longer than ${deadline / 1000} s`);
        member.end("deadline", why);
      }, deadline);
    }, () => {});
    const cancel = () => {
      member.cancel();
      clearTimeout(timer);
      timer = setTimeout(() => {
        log.info({ ...job }, "worker ended: its job was cancelled and did not stop");
        member.end(
          "cancelled",
          new Problem("cancelled", "job was cancelled, and its worker ended"),
        );
      }, CANCEL_GRACE);
    };
    try {
      const asked = member.ask({ kind: "run", job });
      if (signal?.aborted) cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      const report = await asked;
      if (report.kind !== "ended") throw new Error(`worker answered a job with "${report.kind}"`);
      const { outcome, growth } = report;
      if (growth > Math.max(GROWTH_AT_REST, MAX_GROWTH_A_PIXEL * settings.maxPixels)) {
        log.warn({ ...job, growth }, "worker ended: it outgrew its memory");
        member.end("memory", new Problem("worker_lost", "worker outgrew its memory"));
      } else if (growth > GROWTH_AT_REST) member.recycleAfter(this.#options.recycleAfter);
      if (!outcome.ok && outcome.code === "deadline_exceeded") {
        member.end("deadline", new Problem("deadline_exceeded", outcome.detail));
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
   * @param patience milliseconds it may be late: 0 where no job waits
   */
  showCanary(patience: number): void {
    const { canaryEvery } = this.#options;
    const due = performance.now() - canaryEvery - patience;
    for (const member of this.#members) {
      if (member.busy || member.fitAt === undefined || member.fitAt > due) continue;
      void this.#checkUp(member);
    }
    this.#wakeForCanary();
  }

  /** Ends all workers, whatever they are doing. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    clearTimeout(this.#canaryTimer);
    const why = serviceIsEnding();
    this.#waiting.endAll(why);
    for (const member of this.#members) member.end("closed", why);
  }

  /** A worker for one job, which has to be given to it before anything else happens. */
  #take(): Member | undefined {
    for (const member of this.#members) if (!member.busy) return member;
    return this.#vacant > 0 ? this.#employ() : undefined;
  }

  /** To be called whenever a worker may have become free, or its place. */
  #announceFree(): void {
    this.#waiting.beginOn(() => this.#take());
    if (!this.#closed) this.#options.onFree();
  }

  /** Takes on a worker, which is busy until it has loaded every model there is. */
  #employ(): Member {
    const { script, settings, towers, idle, log } = this.#options;
    const taken = new Set(Array.from(this.#members, ({ place }) => place));
    let place = 1;
    while (taken.has(place)) place++;
    const member = new Member({
      place,
      script: script ?? new URL("./worker.ts", import.meta.url),
      idle,
      onEnd: (reason, why) => {
        this.#members.delete(member);
        for (const tower of member.towers) void towers!.giveBack(tower);
        if (reason !== "idle" && reason !== "closed") this.#restarts[reason]++;
        if (reason === "died") log.error({ worker: place, reason: why.message }, "worker died");
        // Whoever waits for a busy one sees to what comes next.
        if (reason === "died" && !member.busy) this.#replaceSoon(place, why);
        if (reason === "recycled") this.#employ();
      },
    });
    this.#members.add(member);
    const limitMs = this.#options.deadline + BREAK_OFF_GRACE;
    member.ready = member.ask({ kind: "start", settings, limitMs });
    const loaded = Array.from(
      this.#models,
      ([task, model]) => this.#loadInto(member, task, model),
    );
    member.ready = Promise.all([member.ready, ...loaded]);
    member.ready.then(() => {
      this.#unfit.delete(place);
      this.#announceFree();
    }, (why: Problem) => {
      if (this.#closed) return;
      log.error({ worker: place, reason: why.message }, "worker can't be started");
      member.end("canary", why);
      this.#replaceSoon(place, why);
    });
    return member;
  }

  #replaceSoon(place: number, why: Problem): void {
    this.#unfit.set(place, why.message);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#vacant > 0) this.#employ();
      this.#announceFree();
    }, this.#options.replacementPause);
  }

  /** @throws {Problem} saying what is wrong with the model or with the worker */
  async #loadInto(member: Member, task: TaskType, model: ModelFile): Promise<void> {
    const order = this.#lend(member, task, model)
      .then((tower) => ({ kind: "load", task, model, tower }) as const);
    const reports = Promise.all([member.ask(order), this.#ask(member, task)]);
    // What the weights take to be read, and the thread to come up, does not count.
    await Promise.race([Promise.allSettled([order, member.ready]), reports]);
    const { loadDeadline, log } = this.#options;
    const timer = setTimeout(() => {
      log.warn({ worker: member.place, model: model.name }, "worker ended: it loads for too long");
      const what = `model ${model.name} can't be loaded: it took longer than ${
        loadDeadline / 1000
      } s`;
      member.end("stuck", new Problem("model_unavailable", what));
    }, loadDeadline);
    const [report, fault] = await reports.finally(() => clearTimeout(timer));
    if (report.kind === "cannot_load") {
      throw new Problem(
        "model_unavailable",
        `model ${model.name} can't be loaded: ${report.detail}`,
      );
    }
    if (fault !== undefined) {
      throw new Problem("model_unavailable", `model ${model.name} gave a wrong answer: ${fault}`);
    }
    member.fitAt = performance.now();
    this.#wakeForCanary();
  }

  /** The tower that a worker is to compute with; null where ONNX Runtime runs the model. */
  async #lend(member: Member, task: TaskType, model: ModelFile): Promise<LentTower | null> {
    const { settings: { backend }, towers } = this.#options;
    const tower = TASKS[task].hasTower ? await towers?.lend(model) : null;
    this.#engines.set(
      task,
      tower
        ? { backend: towerBackend(tower.weights), precision: tower.weights.precision }
        : { backend: BACKEND_NAMES[backend], precision: "fp32" },
    );
    if (!tower) return null;
    if (this.#members.has(member)) member.towers.push(tower);
    else await towers!.giveBack(tower);
    return tower;
  }

  async #checkUp(member: Member): Promise<void> {
    const { canaryDeadline, log } = this.#options;
    const unfit = (reason: EndReason, what: string) => {
      // It has ended already, and was noticed.
      if (!this.#members.has(member)) return;
      this.#unfit.set(member.place, what);
      log.error({ worker: member.place, reason: what }, "worker ended: it is unfit");
      member.end(reason, new Problem("worker_lost", what));
      this.#employ();
    };
    const timer = setTimeout(
      () => unfit("stuck", `it did not answer within ${canaryDeadline / 1000} s`),
      canaryDeadline,
    );
    try {
      const faults = await Promise.all(
        Array.from(this.#models.keys(), async (task) => {
          const fault = await this.#ask(member, task);
          return fault === undefined ? [] : [`${task}: ${fault}`];
        }),
      );
      if (faults.flat().length > 0) unfit("canary", faults.flat().join("; "));
      else member.fitAt = performance.now();
    } catch (error) {
      // It was ended, and why is known already.
      if (!(error instanceof Problem)) throw error;
    } finally {
      clearTimeout(timer);
      this.#announceFree();
    }
  }

  /** @returns what is wrong with a worker's answer to the canary */
  async #ask(member: Member, task: TaskType): Promise<string | undefined> {
    const report = await member.ask({ kind: "canary", task });
    if (report.kind !== "canary_answer") {
      return report.kind === "canary_failed" ? report.detail : `it answered with "${report.kind}"`;
    }
    const fault = faultOf(report.answer, this.#answers.get(task));
    if (fault === undefined && !this.#answers.has(task)) this.#answers.set(task, report.answer);
    return fault;
  }

  #wakeForCanary(): void {
    let due = Infinity;
    for (const { busy, fitAt = Infinity } of this.#members) {
      if (!busy) due = Math.min(due, fitAt + this.#options.canaryEvery);
    }
    // One that comes too early finds nothing to do, and is followed by another.
    if (due >= this.#canaryDue || this.#closed) return;
    clearTimeout(this.#canaryTimer);
    this.#canaryDue = due;
    this.#canaryTimer = setTimeout(() => {
      this.#canaryDue = Infinity;
      this.#options.onFree();
    }, Math.max(0, due - performance.now()));
  }
}

function notDone(why: unknown): Outcome {
  if (!(why instanceof Problem)) throw why;
  return { ok: false, sha256: null, code: why.code, detail: why.message, times: NO_TIMES };
}

function serviceIsEnding(): Problem {
  return new Problem("worker_lost", "service is ending");
}
