/**
 * How jobs wait for their turn: by priority, then by age, and nobody for ever. See also
 * [note: literals].
 *
 * @module
 */
import type { JobStatus, TaskType } from "@fovea/contract";
import { type Kysely, type RawBuilder, sql } from "kysely";
import { prepared } from "../database/prepared.ts";
import type { JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";

/**
 * How long a job waits for those of higher priority, at most: every second turn is then
 * that of the job that has waited longest. Not every turn, or a backlog of hours would make
 * priorities worthless.
 */
export const MAX_WAIT_MS = 5 * 60_000;

/** Which pending job is next, of those whose time has come. */
export type Turn = "priority" | "longest_wait";

/** How many jobs there are of a task with a status. */
export type JobCount = { task_type: TaskType; status: JobStatus; count: number };

/** In which order jobs have that turn. */
const ORDER = {
  priority: sql`priority DESC, seq`,
  longest_wait: sql`queued_at`,
};

/** Of the first jobs of each task the first, by an index of each task's own. */
const first = (turn: Turn, tasks: RawBuilder<unknown>) =>
  sql<number>`(
    SELECT job.seq FROM json_each(${tasks}) AS task JOIN job ON job.seq = (
      SELECT seq FROM job WHERE status = 'pending' AND run_after = 0 AND task_type = task.value
      ORDER BY ${ORDER[turn]} LIMIT 1)
    ORDER BY ${ORDER[turn]} LIMIT 1)`;

/** `tasks`: JSON, an array of task types. */
const begin = (turn: Turn) =>
  prepared<{ tasks: string; now: number; queuedUntil: number }>()(
    (db, { tasks, now, queuedUntil }) =>
      db.updateTable("job").set((e) => ({
        status: "processing",
        started_at: now,
        attempt: e("attempt", "+", 1),
        error_code: null,
        error_message: null,
      })).where("seq", "=", first(turn, tasks)).where("queued_at", "<=", queuedUntil)
        .returningAll(),
  );
const BEGIN = { priority: begin("priority"), longest_wait: begin("longest_wait") };

const beginAlone = prepared<{ tasks: string; now: number }>()((db, { tasks, now }) =>
  db.updateTable("job").set((e) => ({
    status: "processing",
    started_at: now,
    attempt: e("attempt", "+", 1),
    run_after: 0,
    error_code: null,
    error_message: null,
  })).where(
    "seq",
    "=",
    sql<number>`(
      SELECT seq FROM job WHERE run_after < 0
      AND task_type IN (SELECT value FROM json_each(${tasks})) ORDER BY seq LIMIT 1)`,
  ).returningAll()
);

const longestWait = prepared<{ task: TaskType }>()((db, { task }) =>
  db.selectFrom("job").select("queued_at")
    .where("status", "=", sql.lit("pending")).where("run_after", "=", sql.lit(0))
    .where("task_type", "=", task).orderBy("queued_at").limit(sql.lit(1))
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
   * @param turn `longest_wait`: only one that has waited longer than `maxWaitMs`
   */
  async claim(
    tasks: readonly TaskType[],
    turn: Turn,
    now: number,
    maxWaitMs: number,
  ): Promise<JobRow | undefined> {
    const [job] = await BEGIN[turn](this.#db, {
      tasks: JSON.stringify(tasks),
      now,
      queuedUntil: turn === "longest_wait" ? now - maxWaitMs : Number.MAX_SAFE_INTEGER,
    });
    return job;
  }

  /** Begins a job of one of these tasks that is to be worked on alone. */
  async claimAlone(tasks: readonly TaskType[], now: number): Promise<JobRow | undefined> {
    return (await beginAlone(this.#db, { tasks: JSON.stringify(tasks), now }))[0];
  }

  /** The tasks of the jobs that are to be worked on alone. */
  async tasksToRunAlone(): Promise<TaskType[]> {
    const rows = await this.#db.selectFrom("job").select("task_type").distinct()
      .where("run_after", "<", sql.lit(0)).execute();
    return rows.map(({ task_type }) => task_type);
  }

  /**
   * Lets those into the queue whose pause is over. One that is to wait longer than any pause lasts
   * was requeued before the clock was set back: its pause counts as over.
   */
  async admitDue(now: number, longestPauseMs: number): Promise<void> {
    await this.#db.updateTable("job").set({ run_after: sql.lit(0) })
      .where("run_after", ">", sql.lit(0))
      .where((e) => e.or([e("run_after", "<=", now), e("run_after", ">", now + longestPauseMs)]))
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
    return (await longestWait(this.#db, { task }))[0]?.queued_at;
  }
}
