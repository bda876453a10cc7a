/**
 * Changes of jobs, each written in one transaction with the events that it emits. [note: group
 * commit] Changes that come at the same time share a transaction, which stays open for as long as
 * more come, but for a moment at most: to commit takes as long as several changes do. A change is
 * done only when it is committed.
 *
 * @module
 */
import { type JobEventName, Problem } from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import { setImmediate } from "node:timers";
import { enqueue, enqueueAgain } from "../events/message_log.ts";
import { endMessageOf, forgottenEndOf, messagesOf } from "./job_events.ts";
import { JobRepository } from "./repository.ts";
import type { JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";

/** What a change of jobs has to work with. */
export interface EventTransaction {
  readonly jobs: JobRepository;
  readonly transaction: Transaction<Tables>;
  /** Adds an event to the transaction. */
  emit(event: JobEventName, job: JobRow): void;
  /** Says that a job that had ended begins anew, and has the broker forget its end. */
  emitAnew(job: JobRow): void;
  /** Publishes the end of a job once more, on the job's own topic only. */
  emitEndAgain(job: JobRow): void;
}

/** May be run again from its beginning; a {@link Problem} it throws before it writes anything. */
type Work<T> = (tx: EventTransaction) => Promise<T>;

interface Waiting {
  work: Work<unknown>;
  /** Takes the result once it is committed. */
  resolve: (result: unknown) => void;
  reject: (why: unknown) => void;
  /** Takes the result before it is committed. */
  resolveUncommitted: ((result: unknown) => void) | undefined;
  /** Somebody acts upon the result already: it can be rolled back, but not be run again. */
  isActedUpon: boolean;
}

/** A result that is not committed yet. */
export interface Uncommitted<T> {
  result: T;
  /** Rejects where it was rolled back: then nothing of it is left, and it is not run again. */
  committed: Promise<unknown>;
}

export interface EventTransactionsOptions {
  db: Kysely<Tables>;
  now: () => number;
  /** See [note: running time]. */
  runningMs: () => number;
  newId: () => string;
  /** Called after a commit: there may be a job to begin and events to send. */
  onCommit: (emitted: readonly EmittedEvent[]) => void;
}

/** An event of a job, and the job as it was then. */
export interface EmittedEvent {
  event: JobEventName;
  job: JobRow;
  /** Whether it had ended before. */
  isAnew?: boolean;
}

/** How many changes share a transaction at most. */
const MAX_GROUP_SIZE = 256;

/** For how long a transaction takes in more: whatever else uses the database waits that long. */
const MAX_OPEN_MS = 2;

export class EventTransactions {
  readonly #options: EventTransactionsOptions;
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(options: EventTransactionsOptions) {
    this.#options = options;
  }

  /**
   * Runs a change of jobs.
   *
   * @returns its result, once it is committed
   * @throws {Problem} what it threw; `storage_full` or `not_ready` where nothing can be written
   */
  run<T>(work: Work<T>): Promise<T> {
    return this.#add(work);
  }

  /**
   * Runs a change of jobs and gives its result before the commit, for what can be begun meanwhile.
   *
   * @throws {Problem} as {@link run}, where it fails by itself
   */
  runUncommitted<T>(work: Work<T>): Promise<Uncommitted<T>> {
    return new Promise((resolve, reject) => {
      const committed = this.#add(work, (result) => resolve({ result, committed }));
      committed.catch(reject);
    });
  }

  #add<T>(work: Work<T>, resolveUncommitted?: (result: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = { work, resolve, reject, resolveUncommitted, isActedUpon: false };
      this.#waiting.push(waiting as Waiting);
      if (this.#writing) return;
      this.#writing = true;
      // After what has come in by now was looked at: it may bring changes to be written along.
      setImmediate(() => this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP_SIZE);
      await this.#write(group, performance.now() + MAX_OPEN_MS);
      await turn();
    }
    this.#writing = false;
  }

  /** @param until those that come before this time are added to `group` */
  async #write(group: Waiting[], until = -Infinity): Promise<void> {
    const { db, now, runningMs, newId, onCommit } = this.#options;
    const emitted: EmittedEvent[] = [];
    const emittedAgain: JobRow[] = [];
    let reports: (() => void)[];
    try {
      reports = await db.transaction().execute(async (transaction) => {
        const done: (() => void)[] = [];
        const tx: EventTransaction = {
          jobs: new JobRepository(transaction),
          transaction,
          emit: (event, job) => void emitted.push({ event, job }),
          emitAnew: (job) => void emitted.push({ event: "job_retrying", job, isAnew: true }),
          emitEndAgain: (job) => void emittedAgain.push(job),
        };
        for (const waiting of group) {
          const { work, resolve, reject, resolveUncommitted } = waiting;
          try {
            const result = await work(tx);
            done.push(() => resolve(result));
            waiting.isActedUpon = resolveUncommitted !== undefined;
            resolveUncommitted?.(result);
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
            done.push(() => reject(error));
          }
          if (done.length < group.length || performance.now() > until) continue;
          await turn();
          group.push(...this.#waiting.splice(0, MAX_GROUP_SIZE - group.length));
        }
        if (emitted.length > 0) {
          const messages = emitted.flatMap(({ event, job, isAnew = false }) => [
            ...messagesOf(event, job, job.event_id ?? newId(), now()),
            ...isAnew ? [forgottenEndOf(job)] : [],
          ]);
          await enqueue(transaction, messages, runningMs());
        }
        await enqueueAgain(transaction, emittedAgain.map(endMessageOf), runningMs());
        return done;
      });
    } catch (error) {
      // Nothing of it was written. One at a time, so that only the one it is about fails.
      for (const waiting of group) {
        if (group.length > 1 && !waiting.isActedUpon) await this.#write([waiting]);
        else waiting.reject(problemOf(error));
      }
      return;
    }
    for (const report of reports) report();
    if (emitted.length + emittedAgain.length > 0) onCommit(emitted);
  }
}

/** Lets what has come in meanwhile be looked at. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What SQLite says when it can't write just now (https://sqlite.org/rescode.html), by primary result code. */
const PASSING: Readonly<Record<number, () => Problem>> = {
  5: () => new Problem("not_ready", "database can't be written: another program has locked it"),
  10: () => new Problem("not_ready", "database can't be written: the disk failed to"),
  13: () => new Problem("storage_full", "database can't be written: the disk is full"),
};

function problemOf(error: unknown): unknown {
  const { errcode } = error as { errcode?: number };
  // The lowest byte of an extended code is the primary one.
  const passing = errcode === undefined ? undefined : PASSING[errcode & 0xff];
  return passing?.() ?? error;
}
