/**
 * Which model serves each task, from the moment the service starts: chosen, fetched, loaded, or not
 * to be had.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { type Info, type ModelUsed, Problem, type TaskInfo, type TaskType } from "@fovea/contract";
import { type ModelEntry, modelsFor } from "@fovea/models";
import { ModelFetch } from "./model_fetch.ts";
import { TASKS } from "./list.ts";
import { spaceOf } from "./space.ts";
import type { ModelFile } from "./model_file.ts";

export interface ServedModelsOptions {
  /** `auto` or a model's name, for each task that has weights. */
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
  model: ModelEntry | null;
  /** While its model is fetched. */
  fetch?: ModelFetch;
  /** Once it is ready. */
  engine?: Engine;
  why?: Problem;
}

export class ServedModels {
  readonly #options: ServedModelsOptions;
  readonly #served = new Map<TaskType, Served>();

  constructor(options: ServedModelsOptions) {
    this.#options = options;
    for (const { type } of TASKS.all) {
      const candidates = this.#candidates(type);
      // Of several it is not known yet which one can be had.
      const model = candidates.length === 1 ? candidates[0]! : null;
      this.#served.set(type, { state: "preparing", model });
    }
  }

  /**
   * Takes the best model there is and has it loaded.
   *
   * @throws {Problem} `model_unavailable` where none can be had; the task's jobs are refused from then on
   */
  async prepare(task: TaskType): Promise<void> {
    const failures: string[] = [];
    let candidates = this.#candidates(task);
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
    this.#served.set(task, { state: "unavailable", model: null, why });
    this.#options.log.error({ task, reason: why.message }, "task is not available");
    throw why;
  }

  /** Best first. */
  #candidates(task: TaskType): ModelEntry[] {
    return TASKS.get(task).modelSetting === null
      ? [withoutWeights(task)]
      : modelsFor(task, this.#options.choices[task]);
  }

  async #load(task: TaskType, entry: ModelEntry, path: string): Promise<void> {
    const { load, log } = this.#options;
    this.#served.set(task, { state: "preparing", model: entry });
    const engine = await load(task, { name: entry.name, sha256: entry.sha256, path });
    this.#served.set(task, { state: "ready", model: entry, engine });
    const { name: model, semantic } = entry;
    log.info({ task, model, semantic, backend: engine.backend }, announcement(entry));
  }

  async #fetch(
    task: TaskType,
    candidates: readonly ModelEntry[],
  ): Promise<{ entry: ModelEntry; path: string }> {
    if (TASKS.get(task).modelSetting === null) return { entry: candidates[0]!, path: "" };
    const { fetchFirst, log } = this.#options;
    const fetch = new ModelFetch();
    this.#served.set(task, { ...this.#of(task), fetch });
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

  #of(task: TaskType): Served {
    const served = this.#served.get(task);
    if (served === undefined) throw new Error(`there is no task ${task}`);
    return served;
  }

  /**
   * The space that results of a job taken now will be in; null where that is not known yet.
   *
   * @throws {Problem} `model_unavailable`
   */
  space(task: TaskType): string | null {
    const { why, state } = this.#of(task);
    if (why !== undefined) throw why;
    return state === "ready" ? spaceOf(this.used(task)) : null;
  }

  /** The tasks whose jobs can be begun. */
  ready(): TaskType[] {
    return TASKS.types.filter((task) => this.#of(task).state === "ready");
  }

  /** What results of a task name as their origin; its model must be loaded. */
  used(task: TaskType): ModelUsed {
    const { model, engine } = this.#of(task);
    if (model === null || engine === undefined) throw new Error(`no model is loaded for ${task}`);
    const { name, sha256 } = model;
    return { name, sha256, ...engine, preprocess: TASKS.get(task).preprocess };
  }

  describe(): Info["tasks"] {
    return TASKS.types.map((task): TaskInfo => {
      const { state, model, engine, why, fetch } = this.#of(task);
      return {
        task_type: task,
        state,
        model: model === null ? null : {
          name: model.name,
          sha256: model.sha256,
          semantic: model.semantic,
          licence: model.licence,
          ...engine !== undefined && { backend: engine.backend },
        },
        ...fetch?.describe(),
        ...why !== undefined && { detail: why.message },
      };
    });
  }
}

/** SHA-256 of no bytes. */
const DIGEST_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** What stands for the model of a task that has no weights: the task itself. */
function withoutWeights(task: TaskType): ModelEntry {
  return {
    name: task,
    aliases: [],
    task_type: task,
    auto: true,
    semantic: true,
    file: "",
    bytes: 0,
    sha256: DIGEST_OF_NOTHING,
    licence: "MIT",
    source: { kind: "generated" },
  };
}

function announcement({ name, semantic }: ModelEntry): string {
  return semantic
    ? `ready with ${name}`
    : `ready with ${name}, a fixture for trying and testing: its numbers mean nothing`;
}
