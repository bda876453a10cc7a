/**
 * Attempts at jobs: begun, their outcomes recorded, requeued, or given up.
 *
 * [note: the lock is the lease] Only one process works on a database (see
 * services/shared/storage/folder.ts), so a job that is being worked on needs no lease that runs out.
 * While the process lives, the deadline of its worker is the heartbeat; what is found "processing"
 * when the process starts was interrupted.
 *
 * @module
 */
import { type ModelUsed, type ProblemCode, PROBLEMS, type TaskType } from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import type { ServedModels } from "../tasks/served_models.ts";
import type { Outcome } from "../workers/messages.ts";
import { spaceOf } from "../tasks/space.ts";
import { type Backoff, pauseBefore } from "@fovea/process/backoff";
import { MAX_WAIT_MS, QueueRepository, type Turn } from "./queue.ts";
import type { ServiceRate } from "./service_rate.ts";
import type { EventTransaction, EventTransactions, Uncommitted } from "./event_transactions.ts";
import { ALONE, type JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";

export const MAX_ATTEMPTS = 3;

/** A job that ended this many workers is not given to another. */
const MAX_WORKERS_LOST = 2;

/** What was under way at so many ends of the service, or of media_store, may be why it ended. */
const MAX_INTERRUPTIONS = 3;

/** Between an attempt that failed and the next one. */
export const RETRY_PAUSE: Backoff = { firstMs: 1000, factor: 5, maxMs: 30_000 };

/** How many jobs are read at once where there may be very many. */
const BATCH = 500;

type Reason = { code: ProblemCode; detail: string; sha256?: string | null };

/** Writes what else is kept of a result, in the transaction in which its job is completed. */
export type ResultWriter = (
  transaction: Transaction<Tables>,
  job: JobRow,
  result: object,
) => Promise<void>;

export interface AttemptsOptions {
  db: Kysely<Tables>;
  transactions: EventTransactions;
  models: ServedModels;
  rate: ServiceRate;
  now: () => number;
  newId: () => string;
  /** 0…1. */
  random: () => number;
  writeAlong: ResultWriter;
  /** Called when a job has been completed. */
  onCompleted: (job: JobRow) => void;
  /** See {@link MAX_WAIT_MS}. */
  maxWaitMs?: number;
}

export class Attempts {
  readonly #options: AttemptsOptions;
  #turn: Turn = "longest_wait";
  #someRunAlone = true;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Whether there may be jobs that are to be worked on alone: hardly ever. */
  get someRunAlone(): boolean {
    return this.#someRunAlone;
  }

  /**
   * Begins the jobs whose turn it is, so many at most, of those whose model is loaded. They can be
   * worked on at once; where that they were begun can't be written, they wait for their turn again.
   * One that may be what ends the service comes before all others, and alone: where there is one,
   * none is begun until no other is worked on.
   *
   * @param isIdle whether no job is worked on
   */
  async begin(most: number, isIdle: boolean): Promise<Uncommitted<JobRow[]>> {
    return await this.#options.transactions.runUncommitted(async ({ transaction, emit }) => {
      const queue = new QueueRepository(transaction);
      const begun = await this.#claimAlone(queue, isIdle) ?? await this.#claimUpTo(queue, most);
      for (const job of begun) emit("job_started", job);
      return begun;
    });
  }

  /** @returns undefined where no job waits to be worked on alone */
  async #claimAlone(queue: QueueRepository, isIdle: boolean): Promise<JobRow[] | undefined> {
    if (!this.#someRunAlone) return undefined;
    const { models, now } = this.#options;
    const tasks = await queue.tasksToRunAlone();
    this.#someRunAlone = tasks.length > 0;
    const ready = models.ready();
    if (!tasks.some((task) => ready.includes(task))) return undefined;
    const job = isIdle ? await queue.claimAlone(ready, now()) : undefined;
    return job === undefined ? [] : [job];
  }

  async #claimUpTo(queue: QueueRepository, most: number): Promise<JobRow[]> {
    const begun: JobRow[] = [];
    while (begun.length < most) {
      const job = await this.#claim(queue);
      if (job === undefined) break;
      begun.push(job);
    }
    return begun;
  }

  async #claim(queue: QueueRepository): Promise<JobRow | undefined> {
    const { models, now, maxWaitMs = MAX_WAIT_MS } = this.#options;
    const claim = (turn: Turn) => queue.claim(models.ready(), turn, now(), maxWaitMs);
    const turn = this.#turn;
    this.#turn = turn === "priority" ? "longest_wait" : "priority";
    return await claim(turn) ?? (turn === "longest_wait" ? await claim("priority") : undefined);
  }

  /**
   * Records the outcome of an attempt. Where the entity got other bytes while it was made, and
   * somebody has asked for them meanwhile, the job waits once more.
   *
   * @returns the job as it is now; undefined where it was cancelled meanwhile
   */
  async recordOutcome(
    job: JobRow,
    outcome: Outcome,
    model: ModelUsed,
  ): Promise<JobRow | undefined> {
    const { transactions, rate, now, newId, writeAlong, onCompleted } = this.#options;
    const recorded = await transactions.run(async (tx) => {
      if (!outcome.ok) return await this.#recordFailure(tx, job, outcome);
      const time = now();
      const completed = await tx.jobs.complete(job.seq, {
        completed_at: time,
        event_id: newId(),
        timings_ms: {
          queue: elapsedMs(job.queued_at, job.started_at ?? time),
          ...outcome.timingsMs,
          total: elapsedMs(job.queued_at, time),
        },
        model,
        space: spaceOf(model),
        sha256: outcome.sha256,
        result: outcome.result,
      });
      if (completed === undefined) return await this.#releaseIn(tx, job);
      await writeAlong(tx.transaction, completed, outcome.result);
      tx.emit("job_completed", completed);
      return completed;
    });
    if (recorded !== undefined && recorded.status !== "pending") rate.count();
    if (recorded?.status === "completed") onCompleted(recorded);
    return recorded;
  }

  /**
   * Requeues a job whose attempt was broken off for no fault of its own; the attempt does not count.
   *
   * @returns undefined where it was cancelled meanwhile
   */
  async release(job: JobRow): Promise<JobRow | undefined> {
    return await this.#options.transactions.run((tx) => this.#releaseIn(tx, job));
  }

  /**
   * Lets those jobs have their turn again whose pause is over.
   *
   * @returns when the next pause is over, ms since the epoch; undefined where no job pauses
   */
  async admitDue(): Promise<number | undefined> {
    const { transactions, now } = this.#options;
    return await transactions.run(async ({ transaction }) => {
      const queue = new QueueRepository(transaction);
      await queue.admitDue(now(), RETRY_PAUSE.maxMs);
      return await queue.nextDue();
    });
  }

  /** Has what was worked on when the service last ended wait again, see {@link interrupt}. */
  async recover(): Promise<void> {
    await this.#eachWithStatus("processing", undefined, (tx, job) => this.#interruptIn(tx, job));
  }

  /**
   * Requeues a job during which the service ended, or media_store went away; the attempt does not
   * count. What was under way at so many ends is worked on alone, and is `poisoned` where one of
   * them ends again.
   *
   * @returns undefined where it was cancelled meanwhile
   */
  async interrupt(job: JobRow): Promise<JobRow | undefined> {
    return await this.#options.transactions.run((tx) => this.#interruptIn(tx, job));
  }

  async #interruptIn(tx: EventTransaction, job: JobRow): Promise<JobRow | undefined> {
    const interruptions = job.interruptions + 1;
    if (interruptions <= MAX_INTERRUPTIONS) {
      const attempt = job.attempt - 1;
      return await this.#requeue(tx, { ...job, interruptions }, { run_after: 0, attempt });
    }
    const detail = `inference or media_store ended ${interruptions} times while they worked ` +
      "on this job, the last time on no other: its picture may be why";
    return await this.#fail(tx, job, { code: "poisoned", detail });
  }

  /** Ends all jobs that wait for a model that can't be had. */
  async failWaiting(task: TaskType, why: Reason): Promise<void> {
    await this.#eachWithStatus("pending", task, (tx, job) => this.#fail(tx, job, why));
  }

  async #recordFailure(
    tx: EventTransaction,
    job: JobRow,
    why: Reason,
  ): Promise<JobRow | undefined> {
    if (why.sha256) {
      const { expected_sha256 } = await tx.jobs.find(job.job_id) ?? job;
      if (expected_sha256 !== null && expected_sha256 !== why.sha256) {
        return await this.#releaseIn(tx, job);
      }
    }
    const workersLost = job.workers_lost + (why.code === "worker_lost" ? 1 : 0);
    if (workersLost >= MAX_WORKERS_LOST) {
      const detail = `${workersLost} workers died of this job, the last one saying: ${why.detail}`;
      return await this.#fail(tx, job, { code: "poisoned", detail });
    }
    if (!PROBLEMS[why.code].transient || job.attempt >= MAX_ATTEMPTS) {
      return await this.#fail(tx, job, why);
    }
    const { now, random } = this.#options;
    return await this.#requeue(tx, job, {
      run_after: now() + pauseBefore(RETRY_PAUSE, job.attempt, random),
      workers_lost: workersLost,
      error_code: why.code,
      error_message: why.detail,
    });
  }

  async #releaseIn(tx: EventTransaction, job: JobRow): Promise<JobRow | undefined> {
    return await this.#requeue(tx, job, { run_after: 0, attempt: job.attempt - 1 });
  }

  async #requeue(
    { jobs, emit }: EventTransaction,
    job: JobRow,
    set: Partial<JobRow> & Pick<JobRow, "run_after">,
  ): Promise<JobRow | undefined> {
    const { attempt, workers_lost, interruptions } = job;
    const unsaid = { attempt, workers_lost, interruptions, error_code: null, error_message: null };
    const runAlone = mustRunAlone(job);
    if (runAlone) this.#someRunAlone = true;
    const waiting = await jobs.requeue(job.seq, {
      ...unsaid,
      ...set,
      ...runAlone && { run_after: ALONE },
    });
    if (waiting !== undefined) emit("job_retrying", waiting);
    return waiting;
  }

  async #fail(
    { jobs, emit }: EventTransaction,
    job: JobRow,
    why: Reason,
  ): Promise<JobRow | undefined> {
    const from = job.status === "pending" ? "pending" : "processing";
    const { now, newId } = this.#options;
    const end = { completed_at: now(), event_id: newId() };
    const ended = await jobs.end(job.seq, from, "error", why, end);
    if (ended !== undefined) emit("job_failed", ended);
    return ended;
  }

  /** Takes every job out of a status, in transactions that leave others their turn. */
  async #eachWithStatus(
    status: "pending" | "processing",
    task: TaskType | undefined,
    change: (tx: EventTransaction, job: JobRow) => Promise<unknown>,
  ): Promise<void> {
    for (let last: number | undefined = 0; last !== undefined;) {
      const after = last;
      last = await this.#options.transactions.run(async (tx) => {
        const some = await tx.jobs.withStatus(status, { task_type: task }, after, BATCH);
        for (const job of some) await change(tx, job);
        return some.at(-1)?.seq;
      });
    }
  }
}

/** Whether a job may be what ends the service or media_store, so that none is to be worked on beside it. */
export function mustRunAlone({ interruptions }: JobRow): boolean {
  return interruptions >= MAX_INTERRUPTIONS;
}

/** From one time of day to a later one; none where the clock was set back between them. */
function elapsedMs(from: number, to: number): number {
  return Math.max(0, to - from);
}
