/**
 * The street that every picture goes, whichever client sends it: upload, subscribe, submit, wait,
 * fetch.
 *
 * @module
 */
import { hasEnded, type Job, Problem, type TaskType } from "@fovea/contract";
import type { Broker, Watch } from "./broker.ts";
import { readJob, submit } from "./inference.ts";
import { upload } from "./media_store.ts";
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

/** Told where a picture is on its way: "waiting for job …". */
export type OnStep = (step: string) => void;

/**
 * Has one picture looked at.
 *
 * @returns the job, with its result
 * @throws {Problem} whatever stood in the way; `timed_out` where nothing did but time
 */
export async function analyse(path: string, workflow: Workflow, onStep: OnStep): Promise<Job> {
  const { mediaStore, broker, timeout_s, label } = workflow;
  onStep("uploading");
  const entityId = await within(
    timeout_s,
    () => new Problem("timed_out", `media_store did not take it within ${timeout_s} s`),
    (signal) => upload(mediaStore, path, label, signal),
  );
  onStep(`stored as entity ${entityId}`);
  const job = await within(
    timeout_s,
    () => broker.connected ? notDone(timeout_s) : brokerGone(timeout_s),
    (signal) => runJob(entityId, workflow, onStep, signal),
  );
  if (job.result === null) throw failureOf(job);
  return job;
}

/** Subscribes first and submits then, so that the event can't come before somebody listens. */
async function runJob(
  entityId: number,
  { inference, broker, taskType, priority }: Workflow,
  onStep: OnStep,
  signal: AbortSignal,
): Promise<Job> {
  const request = {
    media_store_id: entityId,
    job_id: crypto.randomUUID(),
    ...(priority !== undefined && { priority }),
  };
  using watch = await broker.watch(request.job_id, signal);
  const { job_id, existed } = await submit(inference, taskType, request, signal);
  onStep(`waiting for job ${job_id}`);
  const look = () => readJob(inference, job_id, signal);
  if (!existed) return await endOf(watch, look, signal);

  using other = await broker.watch(job_id, signal);
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

function failureOf(job: Job): Problem {
  const why = job.error_message ?? `it ended as "${job.status}" and gave no reason`;
  return new Problem(job.error_code ?? "internal_error", `job ${job.job_id} failed: ${why}`);
}
