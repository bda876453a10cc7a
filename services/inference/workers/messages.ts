/**
 * What the main thread and a worker say to each other.
 *
 * @module
 */
import type { ProblemCode, TaskType } from "@fovea/contract";
import type { MediaStoreAddress } from "../media_store.ts";
import type { PictureSource } from "../picture/fetch.ts";
import type { Backend } from "../runtime/backend.ts";
import type { LentTower } from "../tasks/shared_towers.ts";
import type { ModelFile } from "../tasks/model_file.ts";

/** What a worker needs to know from the start. */
export interface WorkerSettings {
  /** Where pictures come from. */
  source: MediaStoreAddress & Pick<PictureSource, "maxBytes">;
  maxPixels: number;
  /** What networks run on. */
  backend: Backend;
  /** Whether a large JPEG may be made smaller while it is decoded, where its task needs no more. */
  shrinkWhileDecoding: boolean;
}

export type Order =
  /** `limitMs`: after so long it breaks off what it does, see [note: threads that don't end]. */
  | { kind: "start"; settings: WorkerSettings; limitMs: number }
  /** Load a model and run it until it is warm. */
  | { kind: "load"; task: TaskType; model: ModelFile; tower: LentTower | null }
  /** Give the answer to the canary, whose model is loaded. */
  | { kind: "canary"; task: TaskType }
  | { kind: "run"; job: WorkerJob };

/** Said besides the orders and not reported on: stop the job that is being run. */
export type Cancel = { kind: "cancel" };

/** A job as a worker needs to know it. */
export interface WorkerJob {
  task: TaskType;
  entityId: number;
  /** What the job asks beyond the picture: as its task has it. */
  options: object;
}

/** Milliseconds; 0 for a stage that was not reached. */
export interface StageTimings {
  fetch: number;
  decode: number;
  infer: number;
}

/** `sha256` is of the bytes that were looked at, lower-case hex; null where there were none. */
export type Outcome =
  | { ok: true; sha256: string; result: object; timingsMs: StageTimings }
  | {
    ok: false;
    sha256: string | null;
    code: ProblemCode;
    detail: string;
    timingsMs: StageTimings;
  };

/** Each order is answered by one report, in order. */
export type Report =
  | { kind: "started" }
  | { kind: "loaded" }
  | { kind: "cannot_load"; detail: string }
  | { kind: "canary_answer"; answer: object }
  | { kind: "canary_failed"; detail: string }
  /** `growth`: bytes by which the thread's WebAssembly has grown since its models were loaded. */
  | { kind: "ended"; outcome: Outcome; growth: number };
