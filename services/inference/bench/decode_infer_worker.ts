/**
 * A worker of the service that does not fetch: its pictures lie in memory, and its results are dropped.
 *
 * @module
 */
import { decode } from "../picture/decode.ts";
import type { Backend } from "../runtime/backend.ts";
import { TASKS } from "../tasks/list.ts";
import type { LentTower } from "../tasks/shared_towers.ts";
import type { ModelFile } from "../tasks/model_file.ts";
import type { LoadedTask } from "../tasks/task.ts";
import type { TaskType } from "@fovea/contract";
import { stopwatch, type Turn, workFor } from "./contender.ts";

/** The first message to the worker. Each further one is a number: how many seconds it is to work. */
export interface WorkerSetup {
  task: TaskType;
  model: ModelFile;
  backend: Backend;
  /** Null: ONNX Runtime runs the model. */
  tower: LentTower | null;
  pictures: Uint8Array[];
}

const thread = self as unknown as {
  onmessage: (message: MessageEvent<WorkerSetup | number>) => void;
  postMessage(turn: Omit<Turn, "peakMemory"> | "loaded"): void;
};

let pictures: Uint8Array[];
let task: LoadedTask;

thread.onmessage = async ({ data }) => {
  if (typeof data === "number") {
    thread.postMessage(await workFor(data, look));
  } else {
    pictures = data.pictures;
    task = await TASKS.get(data.task).load(data.model, data.backend, data.tower);
    thread.postMessage("loaded");
  }
};

async function look(i: number): Promise<Record<string, number>> {
  const lap = stopwatch();
  const picture = await decode(pictures[i % pictures.length]!, Infinity, task.minSize);
  const infer = task.prepare(picture, i, {});
  picture[Symbol.dispose]();
  const decoded = lap();
  await infer();
  return { decode: decoded, infer: lap() };
}
