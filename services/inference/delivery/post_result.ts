import { Problem } from "@fovea/contract";
import { callMediaStore, type MediaStore, refusalOf } from "../media_store.ts";
import { TASKS } from "../tasks/list.ts";
import type { Delivery } from "./repository.ts";

/** For media_store to take a result. */
const POST_TIMEOUT_MS = 10_000;

/**
 * Posts the result of a job to media_store, where its task says, as `{job_id, completed_at, model, sha256}` with
 * the members of the result. A result may come twice; its `job_id` is the same then.
 *
 * @throws {Problem} `entity_not_found` for good; `media_store_unreachable` and `media_store_error`
 *   where a later try may do better
 */
export async function postResult(
  mediaStore: MediaStore,
  delivery: Delivery,
  stopped: AbortSignal,
): Promise<void> {
  const { job_id, task_type, media_store_id, completed_at } = delivery;
  const { path, what } = TASKS.get(task_type).delivery!;
  const parsed = (json: string | null) => JSON.parse(json ?? "null");
  const response = await callMediaStore(mediaStore, path(media_store_id), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      job_id,
      completed_at,
      model: parsed(delivery.model),
      sha256: delivery.sha256,
      ...parsed(delivery.result),
    }),
    signal: AbortSignal.any([AbortSignal.timeout(POST_TIMEOUT_MS), stopped]),
  });
  if (response.ok) return await response.body?.cancel();
  const { detail } = await refusalOf(response);
  if (response.status === 404) {
    throw new Problem("entity_not_found", `media_store has no entity ${media_store_id}`);
  }
  throw new Problem(
    "media_store_error",
    `media_store answered ${response.status} to the ${what} of entity ${media_store_id}` +
      (detail === undefined ? "" : `: ${detail}`),
  );
}
