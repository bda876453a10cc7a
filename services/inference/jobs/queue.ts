/**
 * How jobs wait for their turn: by priority, then by age, and nobody for ever. See also
 * [note: literals].
 *
 * @module
 */
import type { JobStatus, TaskType } from "@fovea/contract";
import { type Kysely, type RawBuilder, sql } from "kysely";
import { prepared } from "./prepared.ts";
import type { JobRow, Tables } from "./tables.ts";

/**
 * Milliseconds after which a job no longer waits for those of higher priority: every second turn is
 * then that of the job that has waited longest. Not every turn, or a backlog of hours would make
 * priorities worthless.
 */
export const MAX_WAIT = 5 * 60_000;

/** Which pending job is next, of those whose time has come. */
export type Turn = "priority" | "longest_wait";

/** How many jobs there are of a task with a status. */
export type JobCount = { task_type: TaskType; status: JobStatus; count: number };

const ready = (db: Kysely<Tables>, task: RawBuilder<TaskType>) =>
  db.selectFrom("job").select(["seq", "task_type", "priority", "queued_at"])
    .where("status", "=", sql.lit("pending")).where("run_after", "=", sql.lit(0))
    .where("task_type", "=", task).limit(sql.lit(1));

/** The job of a task whose turn it is. */
const FIRST = {
  priority: prepared<{ task: TaskType }>()((db, { task }) =>
    ready(db, task).orderBy("priority", "desc").orderBy("seq")
  ),
  longest_wait: prepared<{ task: TaskType }>()((db, { task }) =>
    ready(db, task).orderBy("queued_at")
  ),
};

const begin = prepared<{ seq: number; model_name: string; now: number }>()(
  (db, { seq, model_name, now }) =>
    db.updateTable("job").set((e) => ({
      status: "processing",
      started_at: now,
      attempt: e("attempt", "+", 1),
      model_name,
      error_code: null,
      error_message: null,
    })).where("seq", "=", seq).returningAll(),
);

const depth = prepared<Record<never, never>>()((db) =>
  db.selectFrom("job_count").select((e) => e.fn.sum<number | null>("count").as("depth"))
    .where("status", "=", "pending")
);

/** The SQL of the queue, on a database or inside a transaction. */
export class QueueRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /**
   * Begins a job of one of these tasks.
   *
   * @param models by task; the job is for that model from then on
   * @param turn `longest_wait`: only one that has waited longer than `maxWait`
   */
  async claim(
    models: ReadonlyMap<TaskType, { name: string }>,
    turn: Turn,
    now: number,
    maxWait: number,
  ): Promise<JobRow | undefined> {
    let best: Candidate | undefined;
    for (const task of models.keys()) {
      const candidate = await this.#first(task, turn);
      if (candidate === undefined) continue;
      if (turn === "longest_wait" && candidate.queued_at > now - maxWait) continue;
      if (best === undefined || goesBefore(candidate, best, turn)) best = candidate;
    }
    if (best === undefined) return undefined;
    const { name } = models.get(best.task_type)!;
    return (await begin(this.#db, { seq: best.seq, model_name: name, now }))[0];
  }

  /**
   * Lets those into the queue whose pause is over. One that is to wait longer than any pause lasts
   * was put back before the clock was: its pause counts as over.
   */
  async admitDue(now: number, longestPause: number): Promise<void> {
    await this.#db.updateTable("job").set({ run_after: 0 })
      .where("run_after", ">", sql.lit(0))
      .where((e) => e.or([e("run_after", "<=", now), e("run_after", ">", now + longestPause)]))
      .execute();
  }

  /** When the first pause is over; undefined where no job pauses. */
  async nextDue(): Promise<number | undefined> {
    const row = await this.#db.selectFrom("job").select("run_after")
      .where("run_after", ">", sql.lit(0)).orderBy("run_after").limit(sql.lit(1))
      .executeTakeFirst();
    return row?.run_after;
  }

  /** How many jobs wait, whether their time has come or not; takes the same time for any number. */
  async depth(): Promise<number> {
    return (await depth(this.#db, {}))[0]?.depth ?? 0;
  }

  async counts(): Promise<JobCount[]> {
    return await this.#db.selectFrom("job_count").selectAll().where("count", ">", 0).execute();
  }

  /** Since when the job waits that has waited longest, of a task; undefined where none does. */
  async waitingSince(task: TaskType): Promise<number | undefined> {
    return (await this.#first(task, "longest_wait"))?.queued_at;
  }

  async #first(task: TaskType, turn: Turn): Promise<Candidate | undefined> {
    return (await FIRST[turn](this.#db, { task }))[0];
  }
}

type Candidate = Pick<JobRow, "seq" | "task_type" | "priority" | "queued_at">;

function goesBefore(a: Candidate, b: Candidate, turn: Turn): boolean {
  if (turn === "longest_wait") return a.queued_at < b.queued_at;
  return a.priority > b.priority || (a.priority === b.priority && a.seq < b.seq);
}
