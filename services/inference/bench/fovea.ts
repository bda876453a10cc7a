/**
 * A contender: this project's workers, with pictures in memory.
 *
 * @module
 */
import type { Precision } from "@fovea/vit";
import { compete, contenderArguments, readPictures, type Turn } from "./contender.ts";
import type { WorkerSetup } from "./decode_infer_worker.ts";
import { lendTowers } from "./lend_towers.ts";

const { workers, pictures: folder, precision, ...feed } = contenderArguments<
  Omit<WorkerSetup, "pictures" | "tower"> & {
    /** Of the encoder; null: ONNX Runtime runs the model. */
    precision: Precision | null;
    workers: number;
    pictures: string;
  }
>();
const towers = precision === null ? [] : await lendTowers(feed.model, precision, workers);
const pictures = await readPictures(folder);
const team = Array.from(
  { length: workers },
  () => new Worker(new URL("./decode_infer_worker.ts", import.meta.url), { type: "module" }),
);

function ask<Answer>(worker: Worker, message: WorkerSetup | number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(message);
  });
}

await Promise.all(
  team.map((worker, i) => ask(worker, { ...feed, tower: towers[i] ?? null, pictures })),
);
await compete(async (seconds) => {
  const turns = await Promise.all(team.map((worker) => ask<Turn>(worker, seconds)));
  const all = (stage: string) => turns.flatMap(({ stagesMs }) => stagesMs[stage]!);
  return {
    picturesPerSecond: turns.reduce((sum, turn) => sum + turn.picturesPerSecond, 0),
    stagesMs: { decode: all("decode"), infer: all("infer") },
  };
});
for (const worker of team) worker.terminate();
