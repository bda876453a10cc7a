/**
 * Steps of jobs, each written in one transaction with the events that tell of it. [note: group
 * commit] Steps that come at the same time share a transaction, and so one wait for the disk: a step
 * is done only when it is written for good, and many are as quick as one.
 *
 * @module
 */
import { type JobEventName, Problem } from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import { setImmediate } from "node:timers";
import { messagesOf } from "../events/job_events.ts";
import { enqueue } from "../events/message_log.ts";
import { JobRepository } from "./repository.ts";
import type { JobRow, Tables } from "./tables.ts";

/** What a step has to work with. */
export interface Step {
  readonly jobs: JobRepository;
  readonly transaction: Transaction<Tables>;
  /** Adds an event to the step. */
  tell(event: JobEventName, job: JobRow): void;
}

/** A step may be run again from its beginning; a {@link Problem} it throws before it writes anything. */
type Work<T> = (step: Step) => Promise<T>;

interface Waiting {
  work: Work<unknown>;
  resolve: (result: unknown) => void;
  reject: (why: unknown) => void;
}

export interface StepsOptions {
  db: Kysely<Tables>;
  now: () => number;
  newId: () => string;
  /** Told after steps have been written: there may be a job to begin and events to send. */
  onChange: (told: readonly ToldStep[]) => void;
}

/** A step of a job, as its event tells of it, and the job as it was then. */
export interface ToldStep {
  event: JobEventName;
  job: JobRow;
}

/** How many steps share a transaction at most: others who use the database wait that long. */
const MOST_TOGETHER = 256;

export class Steps {
  readonly #options: StepsOptions;
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(options: StepsOptions) {
    this.#options = options;
  }

  /**
   * Has a step written.
   *
   * @returns what it gave, once it is written for good
   * @throws {Problem} what the step threw; `storage_full` or `not_ready` where nothing can be written
   */
  run<T>(work: Work<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (result: unknown) => void, reject });
      if (this.#writing) return;
      this.#writing = true;
      // After what has come in by now was looked at: it may bring steps to be written along.
      setImmediate(() => this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#write(this.#waiting.splice(0, MOST_TOGETHER));
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#writing = false;
  }

  async #write(steps: readonly Waiting[]): Promise<void> {
    const { db, now, newId, onChange } = this.#options;
    const told: ToldStep[] = [];
    let settled: (() => void)[];
    try {
      settled = await db.transaction().execute(async (transaction) => {
        const done: (() => void)[] = [];
        const step: Step = {
          jobs: new JobRepository(transaction),
          transaction,
          tell: (event, job) => void told.push({ event, job }),
        };
        for (const { work, resolve, reject } of steps) {
          try {
            const result = await work(step);
            done.push(() => resolve(result));
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
            done.push(() => reject(error));
          }
        }
        if (told.length > 0) {
          const messages = told.flatMap(({ event, job }) => messagesOf(event, job, newId(), now()));
          await enqueue(transaction, messages);
        }
        return done;
      });
    } catch (error) {
      // Nothing of it was written. One at a time, so that only the one it is about fails.
      if (steps.length > 1) { for (const step of steps) await this.#write([step]); }
      else steps[0]!.reject(problemOf(error));
      return;
    }
    for (const settle of settled) settle();
    if (told.length > 0) onChange(told);
  }
}

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
