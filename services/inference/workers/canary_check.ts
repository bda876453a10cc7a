/**
 * Whether a worker still gives the known answers, within their time. [note: canary]
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { LoadedModels } from "./loaded_models.ts";
import type { EndReason, PooledWorker } from "./pooled_worker.ts";

/** What is wrong with a worker, which is to be replaced. */
export interface WorkerFault {
  reason: EndReason;
  detail: string;
}

/**
 * Shows a worker the canary of each of its models.
 *
 * @param deadlineMs for its answer to all of them
 * @returns null where it is healthy, or was ended meanwhile
 */
export async function faultOf(
  worker: PooledWorker,
  models: LoadedModels,
  deadlineMs: number,
): Promise<WorkerFault | null> {
  const late = Promise.withResolvers<WorkerFault>();
  const timer = setTimeout(() => {
    late.resolve({ reason: "stuck", detail: `it did not answer within ${deadlineMs / 1000} s` });
  }, deadlineMs);
  const answered = async (): Promise<WorkerFault | null> => {
    const faults = await models.faultsOf(worker);
    if (faults.length > 0) return { reason: "canary", detail: faults.join("; ") };
    worker.healthyAt = performance.now();
    return null;
  };
  try {
    return await Promise.race([answered(), late.promise]);
  } catch (error) {
    // It was ended, and why is known already.
    if (error instanceof Problem) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
