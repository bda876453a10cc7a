/**
 * What clients do with jobs: submit, look at, list, retry and remove them.
 *
 * @module
 */
import { hasEnded, type Job, type JobRequest, Problem, type TaskType } from "@fovea/contract";
import type { Kysely } from "kysely";
import { OPTIONS } from "../tasks/schemas.ts";
import type { ServedModels } from "../tasks/served_models.ts";
import type { Admission } from "./admission.ts";
import { MAX_ATTEMPTS } from "./attempts.ts";
import { type JobFilter, JobRepository } from "./repository.ts";
import type { EventTransaction, EventTransactions } from "./event_transactions.ts";
import type { JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";

export const DEFAULT_PRIORITY = 5;

export interface JobServiceOptions {
  db: Kysely<Tables>;
  transactions: EventTransactions;
  models: ServedModels;
  admission: Admission;
  now: () => number;
  newId: () => string;
  /** The digest of an entity's bytes as they are now; null where media_store can't say. */
  digestOf: (entityId: number) => Promise<string | null>;
  /** Called when a job was cancelled while a worker is busy with it. */
  onCancelled: (seq: number) => void;
  /** Called when an ended job was removed. */
  onRemoved: () => void;
}

export class JobService {
  readonly #options: JobServiceOptions;
  readonly #jobs: JobRepository;

  constructor(options: JobServiceOptions) {
    this.#options = options;
    this.#jobs = new JobRepository(options.db);
  }

  /**
   * Takes a job into the queue, unless there is one that answers the same question. [note: same
   * question] One that waits does: it will look at the bytes that the entity has by then. One with a
   * result does where media_store says that the entity still has the bytes that were looked at, and
   * the result is in the space that a new one would be in. One that is worked on does too, and is
   * begun once more if it turns out to have looked at older bytes. Where media_store can't say what
   * the bytes are, only one that waits does: a new job waits until media_store is back anyhow.
   *
   * @returns the job, new or as it is by now; the end of one that has ended is published once more
   * @throws {Problem} `job_id_taken`, `model_unavailable`, `queue_full`
   */
  async submit(task: TaskType, request: JobRequest): Promise<{ job: Job; isNew: boolean }> {
    const { transactions, digestOf, newId } = this.#options;
    const wanted: Wanted = {
      job_id: request.job_id ?? newId(),
      task_type: task,
      media_store_id: request.media_store_id,
      priority: request.priority ?? DEFAULT_PRIORITY,
      force: Number(request.force ?? false),
      options: optionsText(task, request),
    };
    const answer = await transactions.run((tx) => this.#answer(tx, wanted));
    if (answer !== undefined) return answer;
    const digest = await digestOf(request.media_store_id);
    return (await transactions.run((tx) => this.#answer(tx, wanted, digest)))!;
  }

  /**
   * @param digest of the entity's bytes, null where nobody knows
   * @returns undefined where it depends on the digest, which is not given
   */
  async #answer(
    tx: EventTransaction,
    wanted: Wanted,
    digest?: string | null,
  ): Promise<{ job: Job; isNew: boolean } | undefined> {
    const { models, admission, now } = this.#options;
    const { jobs, transaction, emit, emitEndAgain } = tx;
    const sameId = await jobs.find(wanted.job_id);
    if (sameId !== undefined) {
      refuseOther(sameId, wanted);
      if (hasEnded(sameId.status)) emitEndAgain(sameId);
      return { job: toJob(sameId), isNew: false };
    }
    const space = models.space(wanted.task_type);
    if (!wanted.force) {
      const same = await jobs.findSame({ ...wanted, space }, digest ?? null);
      if (same?.status === "pending") {
        const raised = await jobs.raisePriority(same.seq, wanted.priority);
        return { job: toJob(raised ?? same), isNew: false };
      }
      if (same !== undefined && digest === undefined) return undefined;
      if (same !== undefined && digest) {
        if (hasEnded(same.status)) emitEndAgain(same);
        else await jobs.expectBytes(same.seq, digest);
        return { job: toJob(same), isNew: false };
      }
    }
    await admission.admit(transaction);
    const row = await jobs.insert({ ...wanted, created_at: now() });
    emit("job_created", row);
    return { job: toJob(row), isNew: true };
  }

  /** @throws {Problem} `job_not_found` */
  async get(jobId: string): Promise<Job> {
    return toJob(await this.#find(this.#jobs, jobId));
  }

  async list(
    filter: JobFilter,
    page: number,
    pageSize: number,
  ): Promise<{ jobs: Job[]; total: number }> {
    const { jobs, total } = await this.#jobs.list(filter, page, pageSize);
    return { jobs: jobs.map(toJob), total };
  }

  /**
   * Puts a job that ended in error back into the queue; its attempts are counted anew.
   *
   * @throws {Problem} `job_not_found`; `job_not_failed` where it did not end in error; `queue_full`
   */
  async retry(jobId: string): Promise<Job> {
    const { transactions, admission, now } = this.#options;
    return await transactions.run(async ({ jobs, transaction, emitAnew }) => {
      const job = await this.#find(jobs, jobId);
      if (job.status !== "error") throw notFailed(job);
      await admission.admit(transaction);
      const waiting = (await jobs.resetForRetry(job.seq, now()))!;
      emitAnew(waiting);
      return toJob(waiting);
    });
  }

  /**
   * Cancels a job that has not ended, removes one that has. A worker busy with it is stopped.
   *
   * @throws {Problem} `job_not_found`
   */
  async remove(jobId: string): Promise<void> {
    const { transactions, now, newId, onCancelled, onRemoved } = this.#options;
    const removed = await transactions.run(async ({ jobs, emit }) => {
      const job = await this.#find(jobs, jobId);
      const { seq, status } = job;
      if (status !== "pending" && status !== "processing") await jobs.remove(job.job_id);
      else {
        const why = { code: "cancelled", detail: "job was cancelled by a client" } as const;
        const end = { completed_at: now(), event_id: newId() };
        emit("job_cancelled", (await jobs.end(seq, status, "cancelled", why, end))!);
      }
      return job;
    });
    if (removed.status === "processing") onCancelled(removed.seq);
    else if (removed.status !== "pending") onRemoved();
  }

  async #find(jobs: JobRepository, jobId: string): Promise<JobRow> {
    const job = await jobs.find(jobId);
    if (job === undefined) throw new Problem("job_not_found", `there is no job ${jobId}`);
    return job;
  }
}

const WANTED = ["task_type", "media_store_id", "priority", "force", "options"] as const;

/** What is to be found out, and under which id. */
type Wanted = Pick<JobRow, "job_id" | typeof WANTED[number]>;

/** @throws {Problem} `job_id_taken` where another job has the id */
function refuseOther(job: JobRow, wanted: Wanted): void {
  const submitted = { ...job, priority: job.submitted_priority ?? job.priority };
  for (const member of WANTED) {
    if (submitted[member] === wanted[member]) continue;
    throw new Problem(
      "job_id_taken",
      `job ${job.job_id} is there with ${member} ${submitted[member]}, not ${
        wanted[member]
      }: choose another job_id`,
    );
  }
}

/** The same options have the same text: sorted, and those that are undefined vanish. */
function optionsText(task: TaskType, request: JobRequest): string {
  const names = Object.keys(OPTIONS[task] ?? {}).sort();
  const values: Record<string, unknown> = { ...request };
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, values[name]])));
}

function notFailed(job: JobRow): Problem {
  return new Problem(
    "job_not_failed",
    `job ${job.job_id} is ${job.status}: only one that ended in error can be retried`,
    { job_id: job.job_id, job_status: job.status },
  );
}

function toJob(row: JobRow): Job {
  const parsed = (json: string | null) => json === null ? null : JSON.parse(json);
  return {
    job_id: row.job_id,
    task_type: row.task_type,
    media_store_id: row.media_store_id,
    status: row.status,
    priority: row.priority,
    created_at: row.created_at,
    started_at: row.started_at,
    completed_at: row.completed_at,
    attempt: row.attempt,
    max_attempts: MAX_ATTEMPTS,
    error_message: row.error_message,
    error_code: row.error_code,
    timings_ms: parsed(row.timings_ms),
    model: parsed(row.model),
    sha256: row.sha256,
    result: parsed(row.result),
  };
}
