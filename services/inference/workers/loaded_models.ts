/**
 * The models that every worker is to have: loads them into a worker, lends it what it computes with,
 * and compares its answers to the canary with what is known.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { Problem, type TaskType } from "@fovea/contract";
import { BACKEND_NAMES, OWN_CODE } from "../runtime/backend.ts";
import { TASKS } from "../tasks/list.ts";
import type { Engine } from "../tasks/served_models.ts";
import { type LentTower, type SharedTowers, towerBackend } from "../tasks/shared_towers.ts";
import type { ModelFile } from "../tasks/model_file.ts";
import type { WorkerSettings } from "./messages.ts";
import type { PooledWorker } from "./pooled_worker.ts";

export interface LoadedModelsOptions {
  settings: WorkerSettings;
  /** Null: ONNX Runtime runs every model. */
  towers: SharedTowers | null;
  /** For a worker to load a model whose weights are at hand, and to show that it is healthy. */
  loadDeadlineMs: number;
  log: Logger;
}

export class LoadedModels {
  readonly #options: LoadedModelsOptions;
  readonly #models = new Map<TaskType, ModelFile>();
  /** The first worker's answers to the canary, by task. */
  readonly #answers = new Map<TaskType, object>();
  readonly #engines = new Map<TaskType, Engine>();

  constructor(options: LoadedModelsOptions) {
    this.#options = options;
  }

  /**
   * Has workers load a further model; those that come up meanwhile load it too.
   *
   * @throws {Problem} `model_unavailable` where it can't be loaded, or gives a wrong answer
   */
  async add(task: TaskType, model: ModelFile, workers: Iterable<PooledWorker>): Promise<Engine> {
    this.#models.set(task, model);
    try {
      await Promise.all(Array.from(workers, (worker) => this.#loadInto(worker, task, model)));
    } catch (error) {
      this.#models.delete(task);
      this.#answers.delete(task);
      throw new Problem("model_unavailable", (error as Problem).message);
    }
    return this.#engines.get(task)!;
  }

  /** Has a worker load all of them. @throws {Problem} saying what is wrong with a model or the worker */
  async loadAllInto(worker: PooledWorker): Promise<void> {
    const models = Array.from(this.#models);
    await Promise.all(models.map(([task, model]) => this.#loadInto(worker, task, model)));
  }

  /**
   * Shows a worker the canary, once for each model.
   *
   * @returns what is wrong with its answers; empty where nothing is
   * @throws {Problem} where it ended before it could answer
   */
  async faultsOf(worker: PooledWorker): Promise<string[]> {
    const faults = await Promise.all(
      Array.from(this.#models.keys(), async (task) => {
        const fault = await this.#faultOf(worker, task);
        return fault === undefined ? [] : [`${task}: ${fault}`];
      }),
    );
    return faults.flat();
  }

  async #loadInto(worker: PooledWorker, task: TaskType, model: ModelFile): Promise<void> {
    const order = this.#lend(worker, task, model)
      .then((tower) => ({ kind: "load", task, model, tower }) as const);
    const reports = Promise.all([worker.ask(order), this.#faultOf(worker, task)]);
    // What the weights take to be read, and the thread to come up, does not count.
    await Promise.race([Promise.allSettled([order, worker.ready]), reports]);
    const { loadDeadlineMs, log } = this.#options;
    const unavailable = (what: string) =>
      new Problem("model_unavailable", `model ${model.name} ${what}`);
    const timer = setTimeout(() => {
      log.warn({ worker: worker.place, model: model.name }, "worker ended: it loads for too long");
      const what = `can't be loaded: it took longer than ${loadDeadlineMs / 1000} s`;
      worker.end("stuck", unavailable(what));
    }, loadDeadlineMs);
    const [report, fault] = await reports.finally(() => clearTimeout(timer));
    if (report.kind === "cannot_load") throw unavailable(`can't be loaded: ${report.detail}`);
    if (fault !== undefined) throw unavailable(`gave a wrong answer: ${fault}`);
    worker.healthyAt = performance.now();
  }

  /** The tower that a worker is to compute with; null where ONNX Runtime runs the model. */
  async #lend(
    worker: PooledWorker,
    task: TaskType,
    model: ModelFile,
  ): Promise<LentTower | null> {
    const { settings: { backend }, towers } = this.#options;
    const { hasTower, modelSetting } = TASKS.get(task);
    const tower = hasTower ? await towers?.lend(model) : null;
    this.#engines.set(
      task,
      tower ? { backend: towerBackend(tower.weights), precision: tower.weights.precision } : {
        backend: modelSetting === null ? OWN_CODE : BACKEND_NAMES[backend],
        precision: "fp32",
      },
    );
    if (!tower) return null;
    worker.whenEnded(() => void towers!.release(tower));
    return tower;
  }

  /** @returns what is wrong with a worker's answer to the canary */
  async #faultOf(worker: PooledWorker, task: TaskType): Promise<string | undefined> {
    const report = await worker.ask({ kind: "canary", task });
    if (report.kind !== "canary_answer") {
      return report.kind === "canary_failed" ? report.detail : `it answered with "${report.kind}"`;
    }
    const fault = TASKS.get(task).faultOf(report.answer, this.#answers.get(task));
    if (fault === undefined && !this.#answers.has(task)) this.#answers.set(task, report.answer);
    return fault;
  }
}
