/**
 * The calls that the clients make to inference.
 *
 * @module
 */
import { type Info, type Job, type JobRequest, Problem, type TaskType } from "@fovea/contract";
import type { Service } from "./service.ts";

const INFO_TIMEOUT_MS = 10_000;

/** What inference serves, and where the broker is. It is asked once, since everything depends on it. */
export async function readInfo(inference: Service): Promise<Info> {
  const limit = AbortSignal.timeout(INFO_TIMEOUT_MS);
  try {
    const request = { method: "GET", path: "/info", signal: limit, retry: false } as const;
    return (await inference.call<Info>(request)).body;
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new Problem(
      "service_unreachable",
      `inference can't be reached at ${inference.address}: it takes connections but did not ` +
        `answer within ${INFO_TIMEOUT_MS / 1000} s: see its log`,
    );
  }
}

/**
 * Finds out whether inference lets this client read.
 *
 * @throws {Problem} `unauthorized`, with what is wrong with the token
 */
export async function checkToken(inference: Service): Promise<void> {
  const signal = AbortSignal.timeout(INFO_TIMEOUT_MS);
  await inference.call({ method: "GET", path: "/job/?page_size=1", signal, retry: false });
}

/**
 * Submits a job, and waits while the queue is full. Where there is a job for the same picture, task and
 * model, inference gives that one.
 *
 * @param request with a job id of the client's own, so that a repeated call makes no second job
 * @returns the id of the job that was made, or of the one that was there
 */
export async function submit(
  inference: Service,
  taskType: TaskType,
  request: JobRequest & { job_id: string },
  signal: AbortSignal,
): Promise<string> {
  const path = `/job/${taskType}`;
  const call = { method: "POST", path, body: request, signal } as const;
  return (await inference.callWhileBusy<Job>(call, "queue_full")).body.job_id;
}

/** A job as it stands, with its result once it has one. */
export async function readJob(
  inference: Service,
  id: string,
  signal: AbortSignal,
): Promise<Job> {
  return (await inference.call<Job>({ method: "GET", path: `/job/${id}`, signal })).body;
}
