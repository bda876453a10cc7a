/**
 * Which model serves each task, from the moment the service starts: chosen, fetched, loaded, or not
 * to be had.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import {
  type Info,
  type ModelUsed,
  Problem,
  TASK_TYPES,
  type TaskInfo,
  type TaskType,
} from "@fovea/contract";
import { type ModelEntry, modelsFor } from "@fovea/models";
import { ModelFetch } from "./model_fetch.ts";
import { TASKS } from "./list.ts";
import { spaceOf } from "./space.ts";
import type { ModelFile } from "./model_file.ts";

export interface ServedModelsOptions {
  /** `auto` or a model's name, for each task. */
  choices: Readonly<Record<TaskType, string>>;
  /**
   * Brings the best model that can be had onto this machine, verified, however long that takes.
   *
   * @throws {Problem} `model_unavailable` where none can ever be had
   */
  fetchFirst: (
    candidates: readonly ModelEntry[],
    events: FetchEvents,
  ) => Promise<{ entry: ModelEntry; path: string }>;
  /** Has the workers load it. @throws {Problem} `model_unavailable` */
  load: (task: TaskType, model: ModelFile) => Promise<Engine>;
  log: Logger;
}

/** What a model runs on. */
export type Engine = Pick<ModelUsed, "backend" | "precision">;

export interface FetchEvents {
  /** So many bytes of a model are there. */
  onProgress: (entry: ModelEntry, bytes: number) => void;
  /** A try failed; the next one comes after a pause. */
  onFailure: (entry: ModelEntry, why: string, pauseMs: number) => void;
}

/** Between two lines of the log that say how far a model has come. */
const LOG_PROGRESS_MS = 30_000;

interface Served {
  state: TaskInfo["state"];
  entry: ModelEntry | null;
  /** While its model is fetched. */
  fetch?: ModelFetch;
  /** Once it is ready. */
  engine?: Engine;
  why?: Problem;
}

export class ServedModels {
  readonly #options: ServedModelsOptions;
  readonly #served: Record<TaskType, Served>;

  constructor(options: ServedModelsOptions) {
    this.#options = options;
    const preparing = (task: TaskType): Served => {
      const candidates = modelsFor(task, options.choices[task]);
      // Of several it is not known yet which one can be had.
      return { state: "preparing", entry: candidates.length === 1 ? candidates[0]! : null };
    };
    this.#served = {
      face_detection: preparing("face_detection"),
      image_embedding: preparing("image_embedding"),
    };
  }

  /**
   * Takes the best model there is and has it loaded.
   *
   * @throws {Problem} `model_unavailable` where none can be had; the task's jobs are refused from then on
   */
  async prepare(task: TaskType): Promise<void> {
    const { choices, log } = this.#options;
    const failures: string[] = [];
    let candidates = modelsFor(task, choices[task]);
    while (candidates.length > 0) {
      let fetched: ModelEntry | undefined;
      try {
        const { entry, path } = await this.#fetch(task, candidates);
        fetched = entry;
        await this.#load(task, entry, path);
        return;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        failures.push(error.message);
        // Where one can't be loaded the next best may do; where none can be fetched nothing is left.
        candidates = candidates.filter((entry) => fetched !== undefined && entry !== fetched);
      }
    }
    const why = new Problem("model_unavailable", failures.join("; "));
    this.#served[task] = { state: "unavailable", entry: null, why };
    log.error({ task, reason: why.message }, "task is not available");
    throw why;
  }

  async #load(task: TaskType, entry: ModelEntry, path: string): Promise<void> {
    const { load, log } = this.#options;
    this.#served[task] = { state: "preparing", entry };
    const engine = await load(task, { name: entry.name, sha256: entry.sha256, path });
    this.#served[task] = { state: "ready", entry, engine };
    const { name: model, semantic } = entry;
    log.info({ task, model, semantic, backend: engine.backend }, announcement(entry));
  }

  async #fetch(
    task: TaskType,
    candidates: readonly ModelEntry[],
  ): Promise<{ entry: ModelEntry; path: string }> {
    const { fetchFirst, log } = this.#options;
    const fetch = new ModelFetch();
    this.#served[task] = { ...this.#served[task], fetch };
    let logged = performance.now();
    let lastWhy: string | undefined;
    return await fetchFirst(candidates, {
      onProgress: (entry, bytes) => {
        fetch.received(entry, bytes);
        if (performance.now() - logged < LOG_PROGRESS_MS) return;
        logged = performance.now();
        const { detail, progress } = fetch.describe();
        log.info({ task, model: entry.name, ...progress }, detail);
      },
      onFailure: (entry, why, pauseMs) => {
        fetch.failed(why, pauseMs);
        if (why === lastWhy) return;
        lastWhy = why;
        log.warn({ task, model: entry.name, reason: why }, "model can't be fetched: trying again");
      },
    });
  }

  /**
   * The space that results of a job taken now will be in; null where that is not known yet.
   *
   * @throws {Problem} `model_unavailable`
   */
  space(task: TaskType): string | null {
    const { why, state } = this.#served[task];
    if (why !== undefined) throw why;
    return state === "ready" ? spaceOf(this.used(task)) : null;
  }

  /** The tasks whose jobs can be begun. */
  ready(): TaskType[] {
    return TASK_TYPES.filter((task) => this.#served[task].state === "ready");
  }

  /** What results of a task name as their origin; its model must be loaded. */
  used(task: TaskType): ModelUsed {
    const { entry, engine } = this.#served[task];
    if (entry === null || engine === undefined) throw new Error(`no model is loaded for ${task}`);
    const { name, sha256 } = entry;
    return { name, sha256, ...engine, preprocess: TASKS[task].preprocess };
  }

  describe(): Info["tasks"] {
    return TASK_TYPES.map((task): TaskInfo => {
      const { state, entry, engine, why, fetch } = this.#served[task];
      return {
        task_type: task,
        state,
        model: entry === null ? null : {
          name: entry.name,
          sha256: entry.sha256,
          semantic: entry.semantic,
          licence: entry.licence,
          ...engine !== undefined && { backend: engine.backend },
        },
        ...fetch?.describe(),
        ...why !== undefined && { detail: why.message },
      };
    });
  }
}

function announcement({ name, semantic }: ModelEntry): string {
  return semantic
    ? `ready with ${name}`
    : `ready with ${name}, a fixture for trying and testing: its numbers mean nothing`;
}
