/**
 * The steps for every picture, in both clients: upload, subscribe, submit, wait, fetch.
 *
 * @module
 */
import { hasEnded, type Job, Problem, type TaskType } from "@fovea/contract";
import type { PictureFile } from "../files/picture_file.ts";
import type { Broker, Watch } from "./broker.ts";
import { readJob, submit } from "./inference.ts";
import { type StoredPicture, upload } from "./media_store.ts";
import type { ModelReadiness } from "./model_readiness.ts";
import type { Service } from "./service.ts";
import { withTimeLimit } from "./time_limit.ts";

export interface Workflow {
  mediaStore: Service;
  inference: Service;
  broker: Broker;
  readiness: ModelReadiness;
  taskType: TaskType;
  /** For the upload, and from the submission to the result, as long as its model is ready. */
  timeout_s: number;
  priority?: number | undefined;
  label?: string | undefined;
}

/** Is called as a picture gets from step to step. */
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
 * Sends one picture through all steps.
 *
 * @returns the job, with a result of the picture's own bytes; what a service says that does not tell
 * of which bytes its results are (`sha256` is missing) is taken as it is
 * @throws {FailedJob} where it ended without one
 * @throws {Problem} what went wrong; `timed_out` where only the time was too short;
 * `precondition_failed` where other bytes stand in the picture's place in media_store
 */
export async function analyse(
  picture: PictureFile,
  workflow: Workflow,
  observer: Observer,
): Promise<Job> {
  const { mediaStore, readiness, timeout_s, label } = workflow;
  const limitMs = 1000 * timeout_s;
  for (let attempt = 1;; attempt++) {
    observer.step("uploading");
    const stored = await withTimeLimit(
      limitMs,
      { problem: () => notStored(workflow) },
      (signal) => upload(mediaStore, picture, label, signal),
    );
    observer.stored(stored);
    const job = await withTimeLimit(
      limitMs,
      { problem: () => notDone(workflow), clock: readiness },
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

  // This job was there before, and may have ended already.
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

/** Also where it has a result and can't say of which bytes: it was made before that was noted. */
function isOfOtherBytes(job: Job, picture: PictureFile): boolean {
  if (job.sha256 === undefined) return false;
  return job.sha256 === null ? job.result !== null : job.sha256 !== picture.sha256;
}

function notStored({ mediaStore, timeout_s }: Workflow): Problem {
  return mediaStore.away
    ? new Problem(
      "service_unreachable",
      `media_store went away and was not back at ${mediaStore.address} within ${timeout_s} s`,
    )
    : new Problem("timed_out", `media_store did not take it within ${timeout_s} s`);
}

function notDone({ inference, broker, timeout_s }: Workflow): Problem {
  const later = "the job goes on, ask again later";
  if (inference.away) {
    return new Problem(
      "service_unreachable",
      `inference went away and was not back at ${inference.address} within ${timeout_s} s: ${later}`,
    );
  }
  if (!broker.connected) {
    return new Problem(
      "broker_unreachable",
      `the MQTT broker went away and was not back within ${timeout_s} s: ${later}`,
    );
  }
  return new Problem(
    "timed_out",
    `not done within ${timeout_s} s: ${later} or allow more with --timeout`,
  );
}

function changedMeanwhile(entityId: number, job: Job): Problem {
  return new Problem(
    "precondition_failed",
    `job ${job.job_id} looked at other bytes (sha256 ${job.sha256}) than this file has: entity ` +
      `${entityId} is being changed in media_store, or media_store and inference do not belong ` +
      `together (see MEDIA_STORE_URL of inference)`,
  );
}
