/**
 * The encoder as the service has it: one copy of the weights in memory, and a slot for each thread.
 *
 * @module
 */
import { openLog } from "@fovea/process/log";
import type { Precision } from "@fovea/vit";
import { type LentTower, SharedTowers } from "../tasks/shared_towers.ts";
import type { ModelFile } from "../tasks/model_file.ts";

/**
 * To be called before anything runs on onnxruntime-web in this thread.
 *
 * @returns a tower for each of `threads`
 * @throws {Error} where the encoder can't run the model, or not in that precision
 */
export async function lendTowers(
  model: ModelFile,
  precision: Precision,
  threads: number,
): Promise<LentTower[]> {
  const log = openLog("bench", { LOG_LEVEL: "info", LOG_FORMAT: "pretty" });
  const towers = new SharedTowers({ precision, workers: threads, log });
  return await Promise.all(Array.from({ length: threads }, async () => {
    const tower = await towers.lend(model);
    if (tower?.weights.precision === precision) return tower;
    throw new Error(`Cannot measure: the encoder does not run ${model.name} as ${precision}`);
  }));
}
