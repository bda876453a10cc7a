/**
 * The SQL of jobs, one by one. How they wait for their turn is in queue.ts.
 *
 * [note: literals] Statuses and limits stand in the text of a query. Where they are parameters,
 * SQLite plans the query anew each time, since it might take another index for another value; that
 * takes ten times as long as to run it.
 *
 * @module
 */
import type {
  JobResult,
  JobStatus,
  ModelUsed,
  ProblemCode,
  TaskType,
  Timings,
} from "@fovea/contract";
import { type Kysely, sql } from "kysely";
import { prepared } from "../database/prepared.ts";
import type { JobRow, Tables } from "../database/tables.ts";

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
  | "model_name"
  | "created_at"
>;
type Asked = Pick<JobRow, "media_store_id" | "task_type" | "options" | "model_name">;

const insert = prepared<NewJob>()((db, job) =>
  db.insertInto("job").values({
    job_id: job.job_id,
    task_type: job.task_type,
    media_store_id: job.media_store_id,
    priority: job.priority,
    force: job.force,
    options: job.options,
    model_name: job.model_name,
    created_at: job.created_at,
    queued_at: job.created_at,
    status: "pending",
    run_after: 0,
    attempt: 0,
    workers_lost: 0,
  }).returningAll()
);

const find = prepared<{ job_id: string }>()((db, { job_id }) =>
  db.selectFrom("job").selectAll().where("job_id", "=", job_id)
);

const findCurrent = prepared<Asked>()((db, asked) =>
  db.selectFrom("job").selectAll()
    .where("media_store_id", "=", asked.media_store_id)
    .where("task_type", "=", asked.task_type).where("options", "=", asked.options)
    .where("model_name", "is", asked.model_name)
    .where("status", "not in", sql<JobStatus>`('error', 'cancelled')`)
    .orderBy("seq", "desc").limit(sql.lit(1))
);

const complete = prepared<
  { seq: number; completed_at: number; timings_ms: string; model: string; result: string }
>()((db, { seq, completed_at, timings_ms, model, result }) =>
  db.updateTable("job").set({ status: "completed", completed_at, timings_ms, model, result })
    .where("seq", "=", seq).where("status", "=", sql.lit("processing")).returningAll()
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

  /** The newest job that asks the same of the same model, and has a result or may still have one. */
  async findCurrent(asked: Asked): Promise<JobRow | undefined> {
    return (await findCurrent(this.#db, asked))[0];
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

  /** Ends a job that is being worked on; undefined where it no longer is (cancelled, say). */
  async complete(
    seq: number,
    end: { completed_at: number; timings_ms: Timings; model: ModelUsed; result: JobResult },
  ): Promise<JobRow | undefined> {
    const { completed_at, timings_ms, model, result } = end;
    const [row] = await complete(this.#db, {
      seq,
      completed_at,
      timings_ms: JSON.stringify(timings_ms),
      model: JSON.stringify(model),
      result: JSON.stringify(result),
    });
    return row;
  }

  /** Ends a job without a result, where it has `from` for its status. */
  async end(
    seq: number,
    from: "pending" | "processing",
    status: "error" | "cancelled",
    why: { code: ProblemCode; detail: string },
    now: number,
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status,
      completed_at: now,
      run_after: 0,
      error_code: why.code,
      error_message: why.detail,
    }).where("seq", "=", seq).where("status", "=", sql.lit(from)).returningAll().executeTakeFirst();
  }

  /** Puts a job that was begun back into the queue; undefined where it has ended meanwhile. */
  async putBack(
    seq: number,
    set: Pick<JobRow, "run_after" | "attempt" | "workers_lost" | "error_code" | "error_message">,
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({ status: "pending", started_at: null, ...set })
      .where("seq", "=", seq).where("status", "=", sql.lit("processing"))
      .returningAll().executeTakeFirst();
  }

  /** Puts a job that ended in error back into the queue as if it were new. */
  async startAnew(seq: number, now: number): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status: "pending",
      queued_at: now,
      started_at: null,
      completed_at: null,
      attempt: 0,
      workers_lost: 0,
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

  async remove(jobId: string): Promise<void> {
    await this.#db.deleteFrom("job").where("job_id", "=", jobId).execute();
  }

  /** Keeps an entity's vector, in place of an older one. */
  async storeEmbedding(
    entityId: number,
    jobId: string,
    modelSha256: string,
    embedding: readonly number[],
  ): Promise<void> {
    const point = {
      job_id: jobId,
      model_sha256: modelSha256,
      vector: new Uint8Array(new Float32Array(embedding).buffer),
    };
    await this.#db.insertInto("image_embedding").values({ point_id: entityId, ...point })
      .onConflict((conflict) => conflict.column("point_id").doUpdateSet(point)).execute();
  }
}
