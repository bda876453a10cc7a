import type { ProblemCode } from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import type { JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";
import { TASKS } from "../tasks/list.ts";

/** A result on its way to media_store. */
export type Delivery =
  & Pick<
    JobRow,
    "job_id" | "task_type" | "media_store_id" | "completed_at" | "model" | "sha256" | "result"
  >
  & {
    /** How often it was tried. */
    attempt: number;
    /** Not before this time, ms since the epoch. */
    due_at: number;
  };

/**
 * Has the result of a completed job delivered, where it is one that media_store takes; call
 * `ResultDelivery.wake` once the transaction stands.
 */
export async function enqueueDelivery(
  transaction: Transaction<Tables>,
  job: Pick<JobRow, "job_id" | "task_type">,
  now: number,
): Promise<void> {
  if (TASKS.get(job.task_type).delivery === undefined) return;
  await transaction.insertInto("delivery").values({ job_id: job.job_id, attempt: 0, due_at: now })
    .execute();
}

/** The SQL of deliveries, on a database or inside a transaction. A job that is removed takes its own along. */
export class DeliveryRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Those that are due first, whether they are due or not. */
  async first(limit: number): Promise<Delivery[]> {
    return await this.#db.selectFrom("delivery").innerJoin("job", "job.job_id", "delivery.job_id")
      .select([
        "job.job_id",
        "task_type",
        "media_store_id",
        "completed_at",
        "model",
        "sha256",
        "result",
      ])
      .select(["delivery.attempt", "due_at"])
      .orderBy("due_at").limit(limit).execute();
  }

  async count(): Promise<number> {
    const { count } = await this.#db.selectFrom("delivery")
      .select((e) => e.fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
    return count;
  }

  /** Ends a delivery: there is nothing more to do. */
  async end(jobId: string): Promise<void> {
    await this.#db.deleteFrom("delivery").where("job_id", "=", jobId).execute();
    await this.#db.updateTable("job")
      .set({ status: "completed", error_code: null, error_message: null })
      .where("job_id", "=", jobId).where("status", "=", "sync_failed").execute();
  }

  async postpone(jobId: string, attempt: number, dueAt: number): Promise<void> {
    await this.#db.updateTable("delivery").set({ attempt, due_at: dueAt })
      .where("job_id", "=", jobId).execute();
  }

  /** Shows in the job that its result has not been delivered, and why. */
  async markFailed(jobId: string, why: { code: ProblemCode; message: string }): Promise<void> {
    await this.#db.updateTable("job")
      .set({ status: "sync_failed", error_code: why.code, error_message: why.message })
      .where("job_id", "=", jobId).where("status", "in", ["completed", "sync_failed"]).execute();
  }

  /** Has all that failed before tried again at once. */
  async allDue(now: number): Promise<void> {
    await this.#db.updateTable("delivery").set({ due_at: now }).where("due_at", ">", now).execute();
  }
}
