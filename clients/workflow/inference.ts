/**
 * The calls that the clients make to inference.
 *
 * @module
 */
import { type Info, type Job, type JobRequest, Problem, type TaskType } from "@fovea/contract";
import { pause } from "./abort.ts";
import { call, type ServiceAddress } from "./service.ts";

const INFO_TIMEOUT_MS = 10_000;

/** Who serves what, and where the broker is. One try, since all else depends on it. */
export async function readInfo(inference: ServiceAddress): Promise<Info> {
  const limit = AbortSignal.timeout(INFO_TIMEOUT_MS);
  try {
    return await call(inference, { method: "GET", path: "/info", signal: limit, retry: false });
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new Problem(
      "service_unreachable",
      `inference can't be reached at ${inference.url.origin}: it takes connections but did not ` +
        `answer within ${INFO_TIMEOUT_MS / 1000} s: see its log`,
    );
  }
}

/** A job as it was found or made. */
export interface Submitted {
  job_id: string;
  /** True where it was there before: its end may be past already. */
  existed: boolean;
}

/**
 * Submits a job, waiting where the queue is full; one that is there for the same picture, task and
 * model is as good.
 *
 * @param request with a job id of the client's own, so that a repeated call makes no second job
 */
export async function submit(
  inference: ServiceAddress,
  taskType: TaskType,
  request: JobRequest & { job_id: string },
  signal: AbortSignal,
): Promise<Submitted> {
  for (;;) {
    try {
      await call(inference, { method: "POST", path: `/job/${taskType}`, body: request, signal });
      return { job_id: request.job_id, existed: false };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "job_exists") {
        return { job_id: error.members.job_id as string, existed: true };
      }
      if (error.code !== "queue_full") throw error;
      await pause(1000 * Number(error.members.retry_after_s ?? 1), signal);
    }
  }
}

/** A job as it stands, with its result once it has one. */
export function readJob(inference: ServiceAddress, id: string, signal: AbortSignal): Promise<Job> {
  return call(inference, { method: "GET", path: `/job/${id}`, signal });
}
