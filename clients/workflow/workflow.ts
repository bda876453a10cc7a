/**
 * The street that every picture goes, whichever client sends it: upload, subscribe, submit, wait,
 * fetch.
 *
 * @module
 */
import { hasEnded, type Job, Problem, type TaskType } from "@fovea/contract";
import type { PictureFile } from "../files/picture_file.ts";
import type { Broker, Watch } from "./broker.ts";
import { readJob, submit } from "./inference.ts";
import { type StoredPicture, upload } from "./media_store.ts";
import type { ServiceAddress } from "./service.ts";

export interface Workflow {
  mediaStore: ServiceAddress;
  inference: ServiceAddress;
  broker: Broker;
  taskType: TaskType;
  /** For the upload, and from the submission to the result. */
  timeout_s: number;
  priority?: number | undefined;
  label?: string | undefined;
}

/** Told where a picture is on its way. */
export interface Observer {
  /** As in "waiting for job …". */
  step(text: string): void;
  stored(picture: StoredPicture): void;
  submitted(jobId: string): void;
}

/** A job that ended without a result. */
export class FailedJob extends Problem {
  readonly job: Job;

  constructor(job: Job) {
    const why = job.error_message ?? `it ended as "${job.status}" and gave no reason`;
    super(job.error_code ?? "internal_error", `job ${job.job_id} failed: ${why}`);
    this.job = job;
  }
}

/** How often a picture is stored and looked at, where the result is of other bytes than its own. */
const MAX_ATTEMPTS = 2;

/**
 * Has one picture looked at.
 *
 * @returns the job, with a result of the picture's own bytes; what a service says that does not tell
 * of which bytes its results are (`sha256` is missing) is taken as it is
 * @throws {FailedJob} where it ended without one
 * @throws {Problem} whatever stood in the way; `timed_out` where nothing did but time;
 * `precondition_failed` where other bytes stand in the picture's place in media_store
 */
export async function analyse(
  picture: PictureFile,
  workflow: Workflow,
  observer: Observer,
): Promise<Job> {
  const { mediaStore, broker, timeout_s, label } = workflow;
  for (let attempt = 1;; attempt++) {
    observer.step("uploading");
    const stored = await within(
      timeout_s,
      () => new Problem("timed_out", `media_store did not take it within ${timeout_s} s`),
      (signal) => upload(mediaStore, picture, label, signal),
    );
    observer.stored(stored);
    const job = await within(
      timeout_s,
      () => broker.connected ? notDone(timeout_s) : brokerGone(timeout_s),
      (signal) => runJob(stored.id, { force: attempt > 1 }, workflow, observer, signal),
    );
    if (isOfOtherBytes(job, picture)) {
      if (attempt === MAX_ATTEMPTS) throw changedMeanwhile(stored.id, job);
      observer.step(`job ${job.job_id} is not of these bytes: asking anew`);
      continue;
    }
    if (job.result === null) throw new FailedJob(job);
    return job;
  }
}

/** Subscribes first and submits then, so that the event can't come before somebody listens. */
async function runJob(
  entityId: number,
  { force }: { force: boolean },
  { inference, broker, taskType, priority }: Workflow,
  observer: Observer,
  signal: AbortSignal,
): Promise<Job> {
  const request = {
    media_store_id: entityId,
    job_id: crypto.randomUUID(),
    ...(priority !== undefined && { priority }),
    ...(force && { force }),
  };
  using watch = await broker.watch(request.job_id, signal);
  const jobId = await submit(inference, taskType, request, signal);
  observer.submitted(jobId);
  const look = () => readJob(inference, jobId, signal);
  if (jobId === request.job_id) return await endOf(watch, look, signal);

  // One that was there before: its end may be past already.
  using other = await broker.watch(jobId, signal);
  const job = await look();
  return hasEnded(job.status) ? job : await endOf(other, look, signal);
}

/** Sleeps until there is reason to look; an event of an earlier end of the same job is no end. */
async function endOf(watch: Watch, look: () => Promise<Job>, signal: AbortSignal): Promise<Job> {
  for (;;) {
    await watch.next(signal);
    const job = await look();
    if (hasEnded(job.status)) return job;
  }
}

/**
 * Of which bytes a job's result is: null where that was not noted, undefined where the service does
 * not note it at all.
 */
export function bytesOf(job: Job & { sha256?: string | null }): string | null | undefined {
  return job.sha256;
}

/** Also where it has a result and can't say of which bytes: it was made before that was noted. */
function isOfOtherBytes(job: Job, picture: PictureFile): boolean {
  const sha256 = bytesOf(job);
  if (sha256 === undefined) return false;
  return sha256 === null ? job.result !== null : sha256 !== picture.sha256;
}

/** Runs `work`, whose signal is aborted with `problem()` after `seconds`. */
async function within<T>(
  seconds: number,
  problem: () => Problem,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(problem()), seconds * 1000);
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

function notDone(seconds: number): Problem {
  return new Problem(
    "timed_out",
    `not done within ${seconds} s: the job goes on, ask again later or allow more with --timeout`,
  );
}

function brokerGone(seconds: number): Problem {
  return new Problem(
    "broker_unreachable",
    `the MQTT broker went away and was not back within ${seconds} s: the job goes on, ask again later`,
  );
}

function changedMeanwhile(entityId: number, job: Job): Problem {
  return new Problem(
    "precondition_failed",
    `job ${job.job_id} looked at other bytes (sha256 ${bytesOf(job)}) than this file has: entity ` +
      `${entityId} is being changed in media_store, or media_store and inference do not belong ` +
      `together (see MEDIA_STORE_URL of inference)`,
  );
}
