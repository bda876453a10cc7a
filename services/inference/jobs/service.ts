/**
 * The rules of jobs. Every step of a job is written in one transaction together with the event that
 * tells of it.
 *
 * @module
 */
import {
  hasEnded,
  type Job,
  type JobEventName,
  type JobRequest,
  type ModelUsed,
  Problem,
  type ProblemCode,
  PROBLEMS,
  type TaskType,
} from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import { messagesOf } from "../events/job_events.ts";
import { enqueue } from "../events/outbox.ts";
import type { ServedModels } from "../tasks/served_models.ts";
import type { Outcome } from "../workers/messages.ts";
import { type JobFilter, JobRepository } from "./repository.ts";
import type { JobRow, Tables } from "./tables.ts";

export const MAX_ATTEMPTS = 3;
export const DEFAULT_PRIORITY = 5;

/** A job that ended this many workers is not given to another. */
const MAX_WORKERS_LOST = 2;

/** Before the second and the third attempt, milliseconds. */
const RETRY_DELAYS = [1000, 5000] as const;

export interface JobServiceOptions {
  db: Kysely<Tables>;
  models: ServedModels;
  now: () => number;
  newId: () => string;
  /** Told after steps have been written: there may be a job to begin and events to send. */
  onChange: (steps: readonly JobStep[]) => void;
}

/** A step of a job, as its event tells of it, and the job as it was then. */
export interface JobStep {
  event: JobEventName;
  job: JobRow;
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
   * @throws {Problem} `job_exists`, `job_id_taken`, `model_unavailable`
   */
  async submit(task: TaskType, request: JobRequest): Promise<{ job: Job; isNew: boolean }> {
    const wanted = {
      job_id: request.job_id?.toLowerCase() ?? this.#options.newId(),
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
    return await this.#step(async (jobs, tell) => {
      const same = await jobs.find(wanted.job_id);
      if (same !== undefined) return { job: asSubmitted(same, wanted), isNew: false };
      const asked = { ...wanted, model_name: this.#options.models.wanted(task)?.name ?? null };
      if (request.force !== true) {
        const existing = await jobs.findCurrent(asked);
        if (existing !== undefined) throw alreadyThere(existing);
      }
      const row = await jobs.insert({ ...asked, created_at: this.#options.now() });
      await tell("job_created", row);
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
   * Cancels a job that has not ended, removes one that has. A worker busy with it goes on to the
   * end; its outcome is dropped.
   *
   * @throws {Problem} `job_not_found`
   */
  async remove(jobId: string): Promise<void> {
    await this.#step(async (jobs, tell) => {
      const job = await this.#find(jobs, jobId);
      if (hasEnded(job.status)) return await jobs.remove(job.job_id);
      const why = { code: "cancelled", detail: "job was cancelled by a client" } as const;
      const ended = await jobs.end(job.job_id, "cancelled", why, this.#options.now());
      if (ended !== undefined) await tell("job_cancelled", ended);
    });
  }

  /** Begins the best pending job whose model is loaded; undefined where there is none. */
  async begin(): Promise<JobRow | undefined> {
    return await this.#step(async (jobs, tell) => {
      const job = await jobs.claim(this.#options.models.loaded(), this.#options.now());
      if (job !== undefined) await tell("job_started", job);
      return job;
    });
  }

  /**
   * Writes down what came of a job that was begun.
   *
   * @returns the job as it is now; undefined where it was cancelled meanwhile
   */
  async settle(job: JobRow, outcome: Outcome, model: ModelUsed): Promise<JobRow | undefined> {
    return await this.#step(async (jobs, tell) => {
      if (!outcome.ok) return await this.#settleFailure(jobs, tell, job, outcome);
      const now = this.#options.now();
      const completed = await jobs.complete(job.job_id, {
        completed_at: now,
        timings_ms: {
          queue: (job.started_at ?? now) - job.created_at,
          ...outcome.times,
          total: now - job.created_at,
        },
        model,
        result: outcome.result,
      });
      if (completed === undefined) return undefined;
      if ("embedding" in outcome.result) {
        const { embedding } = outcome.result;
        await jobs.storeEmbedding(job.media_store_id, job.job_id, model.sha256, embedding);
      }
      await tell("job_completed", completed);
      return completed;
    });
  }

  /** When a job that waits for its next attempt is due, ms since the epoch. */
  async nextDue(): Promise<number | undefined> {
    return await this.#jobs.nextDue(this.#options.now());
  }

  /** Puts back what was begun when the service last ended; what it was begun too often for ends. */
  async recover(): Promise<void> {
    for (const job of await this.#jobs.withStatus("processing")) {
      await this.#step(async (jobs, tell) => {
        if (job.attempt < MAX_ATTEMPTS) return await this.#retry(jobs, tell, job, 0);
        const detail = `the service ended ${job.attempt} times while it worked on this job`;
        return await this.#fail(jobs, tell, job, { code: "poisoned", detail });
      });
    }
  }

  /** Ends all jobs that wait for a model that can't be had. */
  async failWaiting(task: TaskType, why: { code: ProblemCode; detail: string }): Promise<void> {
    for (const job of await this.#jobs.withStatus("pending", task)) {
      await this.#step((jobs, tell) => this.#fail(jobs, tell, job, why));
    }
  }

  async #settleFailure(
    jobs: JobRepository,
    tell: Tell,
    job: JobRow,
    why: { code: ProblemCode; detail: string },
  ): Promise<JobRow | undefined> {
    const workersLost = job.workers_lost + (why.code === "worker_lost" ? 1 : 0);
    if (workersLost >= MAX_WORKERS_LOST) {
      const detail = `${workersLost} workers died of this job, the last one saying: ${why.detail}`;
      return await this.#fail(jobs, tell, job, { code: "poisoned", detail });
    }
    if (!PROBLEMS[why.code].transient || job.attempt >= MAX_ATTEMPTS) {
      return await this.#fail(jobs, tell, job, why);
    }
    const pause = RETRY_DELAYS[job.attempt - 1] ?? 0;
    return await this.#retry(jobs, tell, job, pause, { ...why, workersLost });
  }

  async #retry(
    jobs: JobRepository,
    tell: Tell,
    job: JobRow,
    pause: number,
    why?: { code: ProblemCode; detail: string; workersLost: number },
  ): Promise<JobRow | undefined> {
    const waiting = await jobs.putBack(job.job_id, {
      run_after: this.#options.now() + pause,
      workers_lost: why?.workersLost ?? job.workers_lost,
      error_code: why?.code ?? null,
      error_message: why?.detail ?? null,
    });
    if (waiting !== undefined) await tell("job_retrying", waiting);
    return waiting;
  }

  async #fail(
    jobs: JobRepository,
    tell: Tell,
    job: JobRow,
    why: { code: ProblemCode; detail: string },
  ): Promise<JobRow | undefined> {
    const ended = await jobs.end(job.job_id, "error", why, this.#options.now());
    if (ended !== undefined) await tell("job_failed", ended);
    return ended;
  }

  async #find(jobs: JobRepository, jobId: string): Promise<JobRow> {
    const job = await jobs.find(jobId.toLowerCase());
    if (job === undefined) throw new Problem("job_not_found", `there is no job ${jobId}`);
    return job;
  }

  /** One transaction for a step and the event that tells of it. */
  async #step<T>(work: (jobs: JobRepository, tell: Tell) => Promise<T>): Promise<T> {
    const { db, now, newId, onChange } = this.#options;
    const told: JobStep[] = [];
    const result = await db.transaction().execute((transaction: Transaction<Tables>) =>
      work(new JobRepository(transaction), async (event, job) => {
        await enqueue(transaction, messagesOf(event, job, newId(), now()));
        told.push({ event, job });
      })
    );
    if (told.length > 0) onChange(told);
    return result;
  }
}

/** Adds an event to the step that is being written. */
type Tell = (event: JobEventName, job: JobRow) => Promise<void>;

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
