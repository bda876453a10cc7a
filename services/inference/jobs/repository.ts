import type { JobStatus, ModelUsed, ProblemCode, TaskType, Timings } from "@fovea/contract";
import { type Kysely, sql } from "kysely";
import type { JobRow, Tables } from "./tables.ts";

/** Narrows a listing; a member left out does not. */
export interface JobFilter {
  status?: JobStatus | undefined;
  task_type?: TaskType | undefined;
  media_store_id?: number | undefined;
}

/** The SQL of jobs, on a database or inside a transaction. */
export class JobRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async insert(
    job: Pick<
      JobRow,
      | "job_id"
      | "task_type"
      | "media_store_id"
      | "priority"
      | "force"
      | "options"
      | "model_name"
      | "created_at"
    >,
  ): Promise<JobRow> {
    return await this.#db.insertInto("job")
      .values({ ...job, status: "pending", run_after: 0, attempt: 0, workers_lost: 0 })
      .returningAll().executeTakeFirstOrThrow();
  }

  async find(jobId: string): Promise<JobRow | undefined> {
    return await this.#db.selectFrom("job").selectAll().where("job_id", "=", jobId)
      .executeTakeFirst();
  }

  /** The newest job that asks the same of the same model, and has a result or may still have one. */
  async findCurrent(
    asked: Pick<JobRow, "media_store_id" | "task_type" | "options" | "model_name">,
  ): Promise<JobRow | undefined> {
    return await this.#db.selectFrom("job").selectAll()
      .where("media_store_id", "=", asked.media_store_id)
      .where("task_type", "=", asked.task_type).where("options", "=", asked.options)
      .where("model_name", "is", asked.model_name)
      .where("status", "not in", ["error", "cancelled"])
      .orderBy("seq", "desc").limit(1).executeTakeFirst();
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

  /** Takes the best pending job that is due: priority, then age. */
  async claim(
    models: ReadonlyMap<TaskType, { name: string }>,
    now: number,
  ): Promise<JobRow | undefined> {
    if (models.size === 0) return undefined;
    const next = await this.#db.selectFrom("job").select(["seq", "task_type"])
      .where("status", "=", sql.lit("pending")).where("run_after", "<=", now)
      .where("task_type", "in", [...models.keys()])
      .orderBy("priority", "desc").orderBy("seq").limit(1).executeTakeFirst();
    if (next === undefined) return undefined;
    return await this.#db.updateTable("job").set((e) => ({
      status: "processing",
      started_at: now,
      attempt: e("attempt", "+", 1),
      model_name: models.get(next.task_type)!.name,
      error_code: null,
      error_message: null,
    })).where("seq", "=", next.seq).returningAll().executeTakeFirst();
  }

  /** When the next job that waits for its time is due; undefined where none does. */
  async nextDue(now: number): Promise<number | undefined> {
    const row = await this.#db.selectFrom("job").select("run_after")
      .where("status", "=", sql.lit("pending")).where("run_after", ">", now)
      .orderBy("run_after").limit(1).executeTakeFirst();
    return row?.run_after;
  }

  /** Ends a job that is being worked on; undefined where it no longer is (cancelled, say). */
  async complete(
    jobId: string,
    end: { completed_at: number; timings_ms: Timings; model: ModelUsed; result: unknown },
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status: "completed",
      completed_at: end.completed_at,
      timings_ms: JSON.stringify(end.timings_ms),
      model: JSON.stringify(end.model),
      result: JSON.stringify(end.result),
    }).where("job_id", "=", jobId).where("status", "=", "processing")
      .returningAll().executeTakeFirst();
  }

  /** Ends a job without a result, whether it was begun or not. */
  async end(
    jobId: string,
    status: "error" | "cancelled",
    why: { code: ProblemCode; detail: string },
    now: number,
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({
      status,
      completed_at: now,
      error_code: why.code,
      error_message: why.detail,
    }).where("job_id", "=", jobId).where("status", "in", ["pending", "processing"])
      .returningAll().executeTakeFirst();
  }

  /** Puts a job that was begun back into the queue. */
  async putBack(
    jobId: string,
    set: Pick<JobRow, "run_after" | "workers_lost" | "error_code" | "error_message">,
  ): Promise<JobRow | undefined> {
    return await this.#db.updateTable("job").set({ status: "pending", started_at: null, ...set })
      .where("job_id", "=", jobId).where("status", "=", "processing")
      .returningAll().executeTakeFirst();
  }

  async withStatus(status: JobStatus, task?: TaskType): Promise<JobRow[]> {
    let query = this.#db.selectFrom("job").selectAll().where("status", "=", status);
    if (task !== undefined) query = query.where("task_type", "=", task);
    return await query.orderBy("seq").execute();
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
