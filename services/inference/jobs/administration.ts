/**
 * What an operator does with all jobs at once: count them, retry what failed, remove what is old.
 *
 * @module
 */
import { JOB_STATUSES, type JobStatus, type TaskType } from "@fovea/contract";
import type { Kysely } from "kysely";
import type { Admission } from "./admission.ts";
import { QueueRepository } from "./queue.ts";
import type { FailureFilter, JobRepository } from "./repository.ts";
import type { ServiceRate } from "./service_rate.ts";
import type { EventTransactions } from "./event_transactions.ts";
import type { Tables } from "../database/tables.ts";
import { TASKS } from "../tasks/list.ts";

/** Statuses of jobs that can be removed together. */
export const REMOVABLE = ["completed", "error", "sync_failed", "cancelled"] as const;

/** How many jobs are changed in one transaction: others wait that long for theirs. */
const BATCH = 200;

const DAY_MS = 24 * 60 * 60_000;

export interface QueueStats {
  by_task: Record<TaskType, Record<JobStatus, number>>;
  by_status: Record<JobStatus, number>;
  queue: {
    depth: number;
    limit: number;
    /** Milliseconds for which the oldest job waits whose time has come, by task; null where none does. */
    oldest_pending_ms: Record<TaskType, number | null>;
  };
  throughput: {
    /** Jobs that ended within the last minute. */
    last_minute: number;
    /** Over the last minute, or since the start where that is less ago. */
    per_second: number;
  };
}

export interface AdministrationOptions {
  db: Kysely<Tables>;
  transactions: EventTransactions;
  admission: Admission;
  rate: ServiceRate;
  now: () => number;
  /** See [note: running time]. */
  runningMs: () => number;
  /** Called when ended jobs were removed because somebody asked for it. */
  onRemoved: () => void;
}

export class Administration {
  readonly #options: AdministrationOptions;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  async stats(): Promise<QueueStats> {
    const { db, admission, rate, now } = this.#options;
    const queue = new QueueRepository(db);
    const by_task = TASKS.map(noJobs);
    const by_status = noJobs();
    for (const { task_type, status, count } of await queue.counts()) {
      (by_task[task_type] ??= noJobs())[status] = count;
      by_status[status] += count;
    }
    const oldest = TASKS.map((): number | null => null);
    for (const task of TASKS.types) {
      const from = await queue.waitingSince(task);
      if (from !== undefined) oldest[task] = Math.max(0, now() - from);
    }
    return {
      by_task,
      by_status,
      queue: { depth: by_status.pending, limit: admission.limit, oldest_pending_ms: oldest },
      throughput: { last_minute: rate.lastMinute, per_second: rate.perSecond },
    };
  }

  /**
   * Puts jobs that ended in error back into the queue, the oldest first, as far as there is room.
   *
   * @returns how many
   */
  async retryFailed(filter: FailureFilter): Promise<number> {
    const { transactions, admission, now } = this.#options;
    // Each is met once: one that fails again meanwhile is not retried again.
    let last = 0;
    return await this.#inBatches(async () => {
      const failed = await transactions.run(async ({ jobs, transaction, emitAnew }) => {
        const most = Math.min(BATCH, await admission.room(transaction));
        const failed = await jobs.withStatus("error", filter, last, most);
        for (const { seq } of failed) emitAnew((await jobs.resetForRetry(seq, now()))!);
        return failed;
      });
      last = failed.at(-1)?.seq ?? last;
      return failed.length;
    });
  }

  /**
   * Removes ended jobs, the longest ended first.
   *
   * @param statuses only jobs with one of these
   * @param days only jobs that ended at least so many days ago
   * @returns how many of each status
   */
  async removeEnded(
    statuses: readonly typeof REMOVABLE[number][],
    days: number,
  ): Promise<Partial<Record<JobStatus, number>>> {
    const { now, onRemoved } = this.#options;
    const before = now() - days * DAY_MS;
    const removed = await this.#remove((jobs) => jobs.removeEnded(statuses, before, BATCH));
    if (Object.keys(removed).length > 0) onRemoved();
    return removed;
  }

  /**
   * Removes jobs since whose end the service has run for so long, whatever the time of day is.
   *
   * @returns how many of each status
   */
  async removeExpired(days: number): Promise<Partial<Record<JobStatus, number>>> {
    const until = this.#options.runningMs() - days * DAY_MS;
    return await this.#remove((jobs) => jobs.removeExpired(until, BATCH));
  }

  async #remove(
    batch: (jobs: JobRepository) => Promise<JobStatus[]>,
  ): Promise<Partial<Record<JobStatus, number>>> {
    const counts: Partial<Record<JobStatus, number>> = {};
    await this.#inBatches(async () => {
      const removed = await this.#options.transactions.run(({ jobs }) => batch(jobs));
      for (const status of removed) counts[status] = (counts[status] ?? 0) + 1;
      return removed.length;
    });
    return counts;
  }

  /** Repeats until a batch is not full, so that between two of them others have their turn; the sum. */
  async #inBatches(batch: () => Promise<number>): Promise<number> {
    let all = 0;
    for (let done = BATCH; done === BATCH;) all += done = await batch();
    return all;
  }
}

const noJobs = () =>
  Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as Record<JobStatus, number>;
