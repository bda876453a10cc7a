import { fetchInChildProcess } from "@fovea/models";
import type { Logger } from "@fovea/process/log";
import type { MediaStoreAddress } from "../media_store.ts";
import { workerPermissions } from "../permissions.ts";
import type { Settings } from "../settings.ts";
import { ServedModels } from "../tasks/served_models.ts";
import { SharedTowers } from "../tasks/shared_towers.ts";
import { WorkerPool } from "../workers/pool.ts";

/** For a job in a worker: far more than the largest picture allowed needs. */
const JOB_DEADLINE_MS = 60_000;

export interface WorkersOptions {
  settings: Settings;
  /** Of media_store. */
  address: MediaStoreAddress;
  /** What workers run, in place of the real thing. */
  workerScript: URL | undefined;
  /** Ends the fetching of models. */
  ending: AbortSignal;
  /** Called whenever a worker has become free. */
  onFree: () => void;
  log: Logger;
}

/** The workers, and the models that they are to load. */
export function openWorkers(
  { settings, address, workerScript, ending, onFree, log }: WorkersOptions,
): { pool: WorkerPool; models: ServedModels } {
  const pool = new WorkerPool({
    size: settings.INFERENCE_WORKERS,
    settings: {
      source: { ...address, maxBytes: settings.MAX_UPLOAD_BYTES },
      maxPixels: settings.MAX_IMAGE_PIXELS,
      backend: settings.INFERENCE_BACKEND,
      shrinkWhileDecoding: settings.SHRINK_WHILE_DECODING,
    },
    towers: settings.INFERENCE_BACKEND === "native" ? null : new SharedTowers({
      precision: settings.EMBEDDING_PRECISION,
      workers: settings.INFERENCE_WORKERS,
      log,
    }),
    permissions: workerPermissions(settings),
    deadlineMs: JOB_DEADLINE_MS,
    idleMs: settings.WORKER_IDLE_SECONDS * 1000 || Infinity,
    log,
    onFree,
    ...workerScript !== undefined && { script: workerScript },
  });
  const models = new ServedModels({
    choices: settings.modelChoices,
    fetchFirst: (candidates, events) =>
      fetchInChildProcess(candidates, {
        ...events,
        signal: ending,
        modelsDir: settings.MODELS_DIR,
        mirror: settings.MODEL_MIRROR,
        onNotice: (sentence) => log.info(sentence),
      }),
    load: (task, model) => pool.load(task, model),
    log,
  });
  return { pool, models };
}
