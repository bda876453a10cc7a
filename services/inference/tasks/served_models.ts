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
import { TASKS } from "./list.ts";
import type { ModelFile } from "./task.ts";

export interface ServedModelsOptions {
  /** `auto` or a model's name, for each task. */
  choices: Readonly<Record<TaskType, string>>;
  /** Brings a model onto this machine, verified; its path. @throws {Problem} `model_unavailable` */
  fetchModel: (entry: ModelEntry) => Promise<string>;
  /** Has the workers load it. @returns what it runs on @throws {Problem} `model_unavailable` */
  load: (task: TaskType, model: ModelFile) => Promise<string>;
  log: Logger;
}

interface Served {
  state: TaskInfo["state"];
  entry: ModelEntry | null;
  /** What it runs on, once it is ready. */
  backend?: string;
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
    const { choices, fetchModel, load, log } = this.#options;
    const failures: string[] = [];
    for (const entry of modelsFor(task, choices[task])) {
      try {
        const path = await fetchModel(entry);
        this.#served[task] = { state: "preparing", entry };
        const backend = await load(task, { name: entry.name, sha256: entry.sha256, path });
        this.#served[task] = { state: "ready", entry, backend };
        log.info(
          { task, model: entry.name, semantic: entry.semantic, backend },
          announcement(entry),
        );
        return;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        failures.push(error.message);
      }
    }
    const why = new Problem("model_unavailable", failures.join("; "));
    this.#served[task] = { state: "unavailable", entry: null, why };
    log.error({ task, reason: why.message }, "task is not available");
    throw why;
  }

  /** The model that a job taken now will be for; null where that is not known yet. @throws {Problem} `model_unavailable` */
  wanted(task: TaskType): ModelEntry | null {
    const { why, entry } = this.#served[task];
    if (why !== undefined) throw why;
    return entry;
  }

  /** The models of the tasks whose jobs can be begun. */
  loaded(): ReadonlyMap<TaskType, ModelEntry> {
    const ready = TASK_TYPES.flatMap((task): [TaskType, ModelEntry][] => {
      const { state, entry } = this.#served[task];
      return state === "ready" && entry !== null ? [[task, entry]] : [];
    });
    return new Map(ready);
  }

  /** What results of a task name as their origin; its model must be loaded. */
  used(task: TaskType): ModelUsed {
    const { entry, backend } = this.#served[task];
    if (entry === null || backend === undefined) throw new Error(`no model is loaded for ${task}`);
    const { name, sha256 } = entry;
    return {
      name,
      sha256,
      backend,
      preprocess: TASKS[task].preprocess,
    };
  }

  describe(): Info["tasks"] {
    return TASK_TYPES.map((task): TaskInfo => {
      const { state, entry, backend, why } = this.#served[task];
      return {
        task_type: task,
        state,
        model: entry === null ? null : {
          name: entry.name,
          sha256: entry.sha256,
          semantic: entry.semantic,
          licence: entry.licence,
          ...backend !== undefined && { backend },
        },
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
