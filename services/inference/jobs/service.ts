/**
 * What clients do with jobs: submit, look at, list, retry and remove them.
 *
 * @module
 */
import { type Job, type JobRequest, Problem, type TaskType } from "@fovea/contract";
import type { Kysely } from "kysely";
import type { ServedModels } from "../tasks/served_models.ts";
import type { Admission } from "./admission.ts";
import { MAX_ATTEMPTS } from "./attempts.ts";
import { type JobFilter, JobRepository } from "./repository.ts";
import type { Steps } from "./steps.ts";
import type { JobRow, Tables } from "../database/tables.ts";

export const DEFAULT_PRIORITY = 5;

export interface JobServiceOptions {
  db: Kysely<Tables>;
  steps: Steps;
  models: ServedModels;
  admission: Admission;
  now: () => number;
  newId: () => string;
  /** Told that a job was cancelled while a worker is busy with it. */
  onCancelled: (seq: number) => void;
}

export class JobService {
  readonly #options: JobServiceOptions;
  readonly #jobs: JobRepository;

  constructor(options: JobServiceOptions) {
    this.#options = options;
    this.#jobs = new JobRepository(options.db);
  }

  /**
   * Takes a job into the queue.
   *
   * @returns the job, new or, where the same was asked before under the same id, as it is by now
   * @throws {Problem} `job_exists`, `job_id_taken`, `model_unavailable`, `queue_full`
   */
  async submit(task: TaskType, request: JobRequest): Promise<{ job: Job; isNew: boolean }> {
    const { steps, models, admission, now, newId } = this.#options;
    const wanted = {
      job_id: request.job_id?.toLowerCase() ?? newId(),
      task_type: task,
      media_store_id: request.media_store_id,
      priority: request.priority ?? DEFAULT_PRIORITY,
      force: Number(request.force ?? false),
      // Members that are undefined vanish, so that the same wish has the same text.
      options: JSON.stringify({
        max_faces: request.max_faces,
        min_confidence: request.min_confidence,
      }),
    };
    return await steps.run(async ({ jobs, transaction, tell }) => {
      const same = request.job_id === undefined ? undefined : await jobs.find(wanted.job_id);
      if (same !== undefined) return { job: asSubmitted(same, wanted), isNew: false };
      const asked = { ...wanted, model_name: models.wanted(task)?.name ?? null };
      if (request.force !== true) {
        const existing = await jobs.findCurrent(asked);
        if (existing !== undefined) throw alreadyThere(existing);
      }
      await admission.admit(transaction);
      const row = await jobs.insert({ ...asked, created_at: now() });
      tell("job_created", row);
      return { job: shown(row), isNew: true };
    });
  }

  /** @throws {Problem} `job_not_found` */
  async get(jobId: string): Promise<Job> {
    return shown(await this.#find(this.#jobs, jobId));
  }

  async list(
    filter: JobFilter,
    page: number,
    pageSize: number,
  ): Promise<{ jobs: Job[]; total: number }> {
    const { jobs, total } = await this.#jobs.list(filter, page, pageSize);
    return { jobs: jobs.map(shown), total };
  }

  /**
   * Puts a job that ended in error back into the queue; its attempts are counted anew.
   *
   * @throws {Problem} `job_not_found`; `job_not_failed` where it did not end in error; `queue_full`
   */
  async retry(jobId: string): Promise<Job> {
    const { steps, admission, now } = this.#options;
    return await steps.run(async ({ jobs, transaction, tell }) => {
      const job = await this.#find(jobs, jobId);
      if (job.status !== "error") throw notFailed(job);
      await admission.admit(transaction);
      const waiting = (await jobs.startAnew(job.seq, now()))!;
      tell("job_retrying", waiting);
      return shown(waiting);
    });
  }

  /**
   * Cancels a job that has not ended, removes one that has. A worker busy with it is stopped.
   *
   * @throws {Problem} `job_not_found`
   */
  async remove(jobId: string): Promise<void> {
    const { steps, now, onCancelled } = this.#options;
    const removed = await steps.run(async ({ jobs, tell }) => {
      const job = await this.#find(jobs, jobId);
      const { seq, status } = job;
      if (status !== "pending" && status !== "processing") await jobs.remove(job.job_id);
      else {
        const why = { code: "cancelled", detail: "job was cancelled by a client" } as const;
        tell("job_cancelled", (await jobs.end(seq, status, "cancelled", why, now()))!);
      }
      return job;
    });
    if (removed.status === "processing") onCancelled(removed.seq);
  }

  async #find(jobs: JobRepository, jobId: string): Promise<JobRow> {
    const job = await jobs.find(jobId.toLowerCase());
    if (job === undefined) throw new Problem("job_not_found", `there is no job ${jobId}`);
    return job;
  }
}

const WANTED = ["task_type", "media_store_id", "priority", "force", "options"] as const;

function asSubmitted(job: JobRow, wanted: Pick<JobRow, typeof WANTED[number]>): Job {
  for (const member of WANTED) {
    if (job[member] === wanted[member]) continue;
    throw new Problem(
      "job_id_taken",
      `job ${job.job_id} is there with ${member} ${job[member]}, not ${
        wanted[member]
      }: choose another job_id`,
    );
  }
  return shown(job);
}

function alreadyThere(job: JobRow): Problem {
  return new Problem(
    "job_exists",
    `entity ${job.media_store_id} has a ${job.task_type} job with this model: ` +
      `see job ${job.job_id}, or send "force": true for another`,
    { job_id: job.job_id, job_status: job.status },
  );
}

function notFailed(job: JobRow): Problem {
  return new Problem(
    "job_not_failed",
    `job ${job.job_id} is ${job.status}: only one that ended in error can be retried`,
    { job_id: job.job_id, job_status: job.status },
  );
}

function shown(row: JobRow): Job {
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
    result: parsed(row.result),
  };
}
