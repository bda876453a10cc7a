import type { ModelUsed } from "@fovea/contract";
import { enqueueDelivery } from "../delivery/repository.ts";
import type { ResultWriter } from "../jobs/attempts.ts";
import { storeVector } from "../search/vector_store.ts";
import { TASKS } from "../tasks/list.ts";

/** Keeps the vector of a result, and has the result delivered, as its task says. */
export const writeAlong: ResultWriter = async (transaction, job, result) => {
  const vector = TASKS.get(job.task_type).vector?.(result);
  if (vector !== undefined) {
    const model: ModelUsed = JSON.parse(job.model!);
    await storeVector(transaction, {
      entityId: job.media_store_id,
      jobId: job.job_id,
      modelSha256: model.sha256,
      sha256: job.sha256,
      space: job.space,
      vector,
    });
  }
  await enqueueDelivery(transaction, job, job.completed_at!);
};
