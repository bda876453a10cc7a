/**
 * Steps of jobs, each written in one transaction with the events that tell of it. [note: group
 * commit] Steps that come at the same time share a transaction, which stays open for as long as more
 * come, but for a moment at most: to end one takes as long as several steps do. A step is done only
 * when it is written for good.
 *
 * @module
 */
import { type JobEventName, Problem } from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import { setImmediate } from "node:timers";
import { endMessageOf, messagesOf } from "../events/job_events.ts";
import { enqueue, enqueueAgain } from "../events/message_log.ts";
import { JobRepository } from "./repository.ts";
import type { JobRow, Tables } from "../database/tables.ts";

/** What a step has to work with. */
export interface Step {
  readonly jobs: JobRepository;
  readonly transaction: Transaction<Tables>;
  /** Adds an event to the step. */
  tell(event: JobEventName, job: JobRow): void;
  /** Has the end of a job told of once more to those who wait for it alone. */
  tellEndAgain(job: JobRow): void;
}

/** A step may be run again from its beginning; a {@link Problem} it throws before it writes anything. */
type Work<T> = (step: Step) => Promise<T>;

interface Waiting {
  work: Work<unknown>;
  /** Told what the step gave once it is written. */
  resolve: (result: unknown) => void;
  reject: (why: unknown) => void;
  /** Told what the step gave as soon as it did. */
  tellEarly: ((result: unknown) => void) | undefined;
  /** Somebody acts upon what it gave: it can be undone, but not be run again. */
  isToldOf: boolean;
}

/** What a step gave that is not written yet. */
export interface Early<T> {
  result: T;
  /** Rejects where the step was undone: then nothing of it is left, and it is not run again. */
  written: Promise<unknown>;
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

/** How many steps share a transaction at most, and for how many milliseconds it takes in more: others who use the database wait that long. */
const MOST_TOGETHER = 256;
const OPEN_FOR = 2;

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
    return this.#add(work);
  }

  /**
   * Has a step written, and does not wait for that: for what can be begun while it is.
   *
   * @throws {Problem} as {@link run}, where the step fails by itself
   */
  runEarly<T>(work: Work<T>): Promise<Early<T>> {
    return new Promise((resolve, reject) => {
      const written = this.#add(work, (result) => resolve({ result, written }));
      written.catch(reject);
    });
  }

  #add<T>(work: Work<T>, tellEarly?: (result: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = { work, resolve, reject, tellEarly, isToldOf: false };
      this.#waiting.push(waiting as Waiting);
      if (this.#writing) return;
      this.#writing = true;
      // After what has come in by now was looked at: it may bring steps to be written along.
      setImmediate(() => this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const steps = this.#waiting.splice(0, MOST_TOGETHER);
      await this.#write(steps, performance.now() + OPEN_FOR);
      await turn();
    }
    this.#writing = false;
  }

  /** @param until those that come before this time are added to `steps` */
  async #write(steps: Waiting[], until = -Infinity): Promise<void> {
    const { db, now, newId, onChange } = this.#options;
    const told: ToldStep[] = [];
    const toldAgain: JobRow[] = [];
    let settled: (() => void)[];
    try {
      settled = await db.transaction().execute(async (transaction) => {
        const done: (() => void)[] = [];
        const step: Step = {
          jobs: new JobRepository(transaction),
          transaction,
          tell: (event, job) => void told.push({ event, job }),
          tellEndAgain: (job) => void toldAgain.push(job),
        };
        for (const waiting of steps) {
          const { work, resolve, reject, tellEarly } = waiting;
          try {
            const result = await work(step);
            done.push(() => resolve(result));
            waiting.isToldOf = tellEarly !== undefined;
            tellEarly?.(result);
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
            done.push(() => reject(error));
          }
          if (done.length < steps.length || performance.now() > until) continue;
          await turn();
          steps.push(...this.#waiting.splice(0, MOST_TOGETHER - steps.length));
        }
        if (told.length > 0) {
          const messages = told.flatMap(({ event, job }) =>
            messagesOf(event, job, job.event_id ?? newId(), now())
          );
          await enqueue(transaction, messages);
        }
        await enqueueAgain(transaction, toldAgain.map((job) => endMessageOf(job, now())));
        return done;
      });
    } catch (error) {
      // Nothing of it was written. One at a time, so that only the one it is about fails.
      for (const step of steps) {
        if (steps.length > 1 && !step.isToldOf) await this.#write([step]);
        else step.reject(problemOf(error));
      }
      return;
    }
    for (const settle of settled) settle();
    if (told.length + toldAgain.length > 0) onChange(told);
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
