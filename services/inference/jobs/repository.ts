/**
 * The SQL of jobs, one by one. How they wait for their turn is in queue.ts.
 *
 * [note: literals] Statuses and limits stand in the text of a query. Where they are parameters,
 * SQLite plans the query anew each time, since it might take another index for another value; that
 * takes ten times as long as to run it.
 *
 * @module
 */
import type { JobStatus, ModelUsed, ProblemCode, TaskType, Timings } from "@fovea/contract";
import { type Kysely, sql } from "kysely";
import { prepared } from "../database/prepared.ts";
import type { JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";

/** Narrows a listing; a member left out does not. */
export interface JobFilter {
  status?: JobStatus | undefined;
  task_type?: TaskType | undefined;
  media_store_id?: number | undefined;
}

/** Narrows jobs that ended in error; a member left out does not. */
export interface FailureFilter {
  task_type?: TaskType | undefined;
  error_code?: ProblemCode | undefined;
  /** They ended then or later, ms since the epoch. */
  since?: number | undefined;
}

type NewJob = Pick<
  JobRow,
  | "job_id"
  | "task_type"
  | "media_store_id"
  | "priority"
  | "force"
  | "options"
  | "created_at"
>;
/** What is wanted to be known, whichever job is to find it out. */
type Asked = Pick<JobRow, "media_store_id" | "task_type" | "options" | "space">;

const insert = prepared<NewJob>()((db, job) =>
  db.insertInto("job").values({
    job_id: job.job_id,
    task_type: job.task_type,
    media_store_id: job.media_store_id,
    priority: job.priority,
    force: job.force,
    options: job.options,
    created_at: job.created_at,
    queued_at: job.created_at,
    status: "pending",
    run_after: 0,
    attempt: 0,
    workers_lost: 0,
  }).returningAll()
);

const find = prepared<{ job_id: string }>()((db, { job_id }) =>
  db.selectFrom("job").selectAll().where(sql<boolean>`job_id = ${job_id} COLLATE NOCASE`)
);

const findSame = prepared<Asked & { sha256: string | null }>()((db, asked) =>
  db.selectFrom("job").selectAll()
    .where("media_store_id", "=", asked.media_store_id)
    .where("task_type", "=", asked.task_type).where("options", "=", asked.options)
    .where((e) =>
      e.or([
        e("status", "in", sql<JobStatus>`('pending', 'processing')`),
        e.and([
          e("status", "in", sql<JobStatus>`('completed', 'sync_failed')`),
          e("space", "=", asked.space),
          sql<boolean>`sha256 = ifnull(${asked.sha256}, sha256)`,
        ]),
      ])
    )
    .orderBy(sql`status = 'pending'`, "desc").orderBy(sql`status = 'processing'`)
    .orderBy("seq", "desc").limit(sql.lit(1))
);

/** What a job has to show for itself when it is completed. */
interface Completion {
  completed_at: number;
  event_id: string;
  timings_ms: Timings;
  model: ModelUsed;
  space: string;
  sha256: string;
  result: object;
}

const complete = prepared<
  Omit<Completion, "timings_ms" | "model" | "result"> & {
    seq: number;
    /** JSON. */
    timings_ms: string;
    model: string;
    result: string;
  }
>()((db, { seq, completed_at, event_id, timings_ms, model, space, sha256, result }) =>
  db.updateTable("job").set({
    status: "completed",
    completed_at,
    event_id,
    timings_ms,
    model,
    space,
    sha256,
    result,
    expected_sha256: null,
  }).where("seq", "=", seq).where("status", "=", sql.lit("processing"))
    .where(sql<boolean>`ifnull(expected_sha256, ${sha256}) = ${sha256}`).returningAll()
);

/** On a database or inside a transaction. */
export class JobRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async insert(job: NewJob): Promise<JobRow> {
    const [row] = await insert(this.#db, job);
    return row!;
  }

  async find(job_id: string): Promise<JobRow | undefined> {
    return (await find(this.#db, { job_id }))[0];
  }

  /**
   * A job that asks the same: best one that waits, else the newest with a result, else one that is
   * worked on.
   *
   * @param sha256 results are of these bytes; null: of any
   */
  async findSame(asked: Asked, sha256: string | null): Promise<JobRow | undefined> {
    return (await findSame(this.#db, { ...asked, sha256 }))[0];
  }

  async raisePriority(seq: number, priority: number): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set((e) => ({
      priority,
      submitted_priority: e.fn.coalesce("submitted_priority", "priority"),
    })).where("seq", "=", seq)
      .where("status", "=", sql.lit("pending")).where("priority", "<", priority)
      .returningAll().executeTakeFirst();
  }

  /** Has a job that is worked on looked at again, unless it looks at these bytes. */
  async expectBytes(seq: number, sha256: string): Promise<void> {
    await this.#db.updateTable("job").set({ expected_sha256: sha256 }).where("seq", "=", seq)
      .where("status", "=", sql.lit("processing")).execute();
  }

  /** A page of jobs, newest first, and how many there are in all. */
  async list(
    filter: JobFilter,
    page: number,
    pageSize: number,
  ): Promise<{ jobs: JobRow[]; total: number }> {
    let query = this.#db.selectFrom("job");
    for (const column of ["status", "task_type", "media_store_id"] as const) {
      const value = filter[column];
      if (value !== undefined) query = query.where(column, "=", value);
    }
    const { total } = await query.select((e) => e.fn.countAll<number>().as("total"))
      .executeTakeFirstOrThrow();
    const jobs = await query.selectAll().orderBy("seq", "desc")
      .limit(pageSize).offset((page - 1) * pageSize).execute();
    return { jobs, total };
  }

  /**
   * Ends a job that is being worked on; undefined where it no longer is (cancelled, say), or is
   * expected to have looked at other bytes.
   */
  async complete(seq: number, end: Completion): Promise<JobRow | undefined> {
    const [row] = await complete(this.#db, {
      ...end,
      seq,
      timings_ms: JSON.stringify(end.timings_ms),
      model: JSON.stringify(end.model),
      result: JSON.stringify(end.result),
    });
    return row;
  }

  /** Ends a job without a result, where it has `from` for its status. */
  async end(
    seq: number,
    from: "pending" | "processing",
    status: "error" | "cancelled",
    { code, detail, sha256 = null }: { code: ProblemCode; detail: string; sha256?: string | null },
    { completed_at, event_id }: Pick<Completion, "completed_at" | "event_id">,
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status,
      completed_at,
      event_id,
      run_after: 0,
      error_code: code,
      error_message: detail,
      sha256,
      expected_sha256: null,
    }).where("seq", "=", seq).where("status", "=", sql.lit(from)).returningAll().executeTakeFirst();
  }

  /** Requeues a job that was begun; undefined where it has ended meanwhile. */
  async requeue(
    seq: number,
    set:
      & Pick<JobRow, "run_after" | "attempt" | "workers_lost" | "error_code" | "error_message">
      & { interruptions?: number },
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status: "pending",
      started_at: null,
      expected_sha256: null,
      ...set,
    })
      .where("seq", "=", seq).where("status", "=", sql.lit("processing"))
      .returningAll().executeTakeFirst();
  }

  /** Requeues a job that ended in error as if it were new. */
  async resetForRetry(seq: number, now: number): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status: "pending",
      queued_at: now,
      started_at: null,
      completed_at: null,
      event_id: null,
      sha256: null,
      attempt: 0,
      workers_lost: 0,
      interruptions: 0,
      error_code: null,
      error_message: null,
    }).where("seq", "=", seq).where("status", "=", sql.lit("error"))
      .returningAll().executeTakeFirst();
  }

  /** The oldest jobs with a status that came after the one numbered `after`. */
  async withStatus(
    status: JobStatus,
    { task_type, error_code, since }: FailureFilter,
    after: number,
    limit: number,
  ): Promise<JobRow[]> {
    let query = this.#db.selectFrom("job").selectAll()
      .where("status", "=", status).where("seq", ">", after);
    if (task_type !== undefined) query = query.where("task_type", "=", task_type);
    if (error_code !== undefined) query = query.where("error_code", "=", error_code);
    if (since !== undefined) query = query.where("completed_at", ">=", since);
    return await query.orderBy("seq").limit(limit).execute();
  }

  /** Removes jobs that ended before a time, the longest ended first; the status of each. */
  async removeEnded(
    statuses: readonly JobStatus[],
    before: number,
    limit: number,
  ): Promise<JobStatus[]> {
    const removed = await this.#db.deleteFrom("job").where(
      "seq",
      "in",
      (e) =>
        e.selectFrom("job").select("seq").where("completed_at", "is not", null)
          .where("completed_at", "<", before)
          // With the plus the index by status, which knows no age, is passed over.
          .where(sql<JobStatus>`+status`, "in", statuses)
          .orderBy("completed_at").limit(limit),
    ).returning("status").execute();
    return removed.map(({ status }) => status);
  }

  /** Removes jobs that ended at a running time or before, the same way. */
  async removeExpired(until: number, limit: number): Promise<JobStatus[]> {
    const removed = await this.#db.deleteFrom("job").where(
      "seq",
      "in",
      (e) =>
        e.selectFrom("job").select("seq").where("completed_at", "is not", null)
          .where("kept_from", "<=", until).orderBy("kept_from").limit(limit),
    ).returning("status").execute();
    return removed.map(({ status }) => status);
  }

  async remove(jobId: string): Promise<void> {
    await this.#db.deleteFrom("job").where("job_id", "=", jobId).execute();
  }
}
