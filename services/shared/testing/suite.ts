/**
 * Both services together, as a user has them, and a client of the original protocol to try them.
 *
 * @module
 */
import type { Info, Item, Job, TaskType } from "@fovea/contract";
import { MODELS_DIR } from "./models.ts";
import { asJson } from "./as_json.ts";
import { type ServiceProcess, startService } from "./service.ts";
import { until } from "./until.ts";

export interface Suite extends AsyncDisposable {
  mediaStore: ServiceProcess;
  inference: ServiceProcess;
  /** Stores a picture under the field `image`. */
  upload(bytes: Uint8Array<ArrayBuffer>, name?: string): Promise<Item>;
  submit(task: TaskType, body: Record<string, unknown>): Promise<Job>;
  job(id: string): Promise<Job>;
  /** Waits until a job is neither pending nor processing, and gives it. */
  ended(id: string): Promise<Job>;
  info(): Promise<Info>;
}

/** Settings under which inference runs on any machine: no hub, no mirror, one worker. */
export const BARE = {
  EMBEDDING_MODEL: "fixture",
  FACE_MODEL: "ultraface-rfb-320",
  INFERENCE_WORKERS: "1",
  MODELS_DIR,
};

/**
 * Starts both and waits until inference says that it is ready with all models.
 *
 * @param env settings of inference
 */
export async function startSuite(
  env: Record<string, string> = {},
  mediaStoreEnv: Record<string, string> = {},
): Promise<Suite> {
  await using cleanup = new AsyncDisposableStack();
  const mediaStore = cleanup.use(await startService("media_store", mediaStoreEnv));
  const inference = cleanup.use(
    await startService("inference", { ...BARE, MEDIA_STORE_URL: mediaStore.url, ...env }),
  );
  await untilReady(inference);
  const owned = cleanup.move();
  return {
    mediaStore,
    inference,
    ...clientOf(mediaStore.url, inference.url),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The calls of a client, each failing on any answer that is no success. */
export function clientOf(mediaStoreUrl: string, inferenceUrl: string): Pick<
  Suite,
  "upload" | "submit" | "job" | "ended" | "info"
> {
  const answer = async <T>(response: Response): Promise<T> => {
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  const job = async (id: string): Promise<Job> =>
    await answer(await fetch(`${inferenceUrl}/job/${id}`));
  return {
    upload: async (bytes, name = "picture") => {
      const form = new FormData();
      form.set("is_collection", "false");
      form.set("image", new File([bytes], name));
      return await answer(await fetch(`${mediaStoreUrl}/entity/`, { method: "POST", body: form }));
    },
    submit: async (task, body) =>
      await answer(
        await fetch(`${inferenceUrl}/job/${task}`, asJson(body)),
      ),
    job,
    ended: (id) =>
      until(`the end of job ${id}`, async () => {
        const found = await job(id);
        return ["pending", "processing"].includes(found.status) ? undefined : found;
      }),
    info: async () => await answer(await fetch(`${inferenceUrl}/info`)),
  };
}

/** Waits until no model is on its way any more. */
export async function untilReady(inference: ServiceProcess): Promise<void> {
  const { info } = clientOf("", inference.url);
  await until(
    "models that are ready",
    async () => (await info()).tasks.every(({ state }) => state !== "preparing"),
  );
}
