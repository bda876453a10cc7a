/**
 * The models that tests run, kept in the project's own cache so that they are fetched once.
 *
 * @module
 */
import { fetchModel, modelsFor } from "@fovea/models";
import type { TaskType } from "@fovea/contract";
import type { Need } from "./need.ts";

/** MODELS_DIR of tests. */
export const MODELS_DIR = new URL("../../../models/cache", import.meta.url).pathname;

/** A model on this machine. */
export interface TestModel {
  name: string;
  sha256: string;
  path: string;
}

/** Fetches a model that every machine can have. @throws {Problem} where it can't be had after all */
export async function testModel(task: TaskType, name: string): Promise<TestModel> {
  const entry = modelsFor(task, name)[0]!;
  const path = await fetchModel(entry, {
    modelsDir: MODELS_DIR,
    mirror: Deno.env.get("MODEL_MIRROR"),
  });
  return { name: entry.name, sha256: entry.sha256, path };
}

/** A model that only a hub or a mirror has. */
async function hubModel(
  task: TaskType,
  name: string,
): Promise<Need & { model: TestModel | null }> {
  const model = await testModel(task, name).catch(() => null);
  return {
    isThere: model !== null,
    model,
    what: model === null ? `${name} (from its hub, or set MODEL_MIRROR)` : name,
  };
}

export const yunet = await hubModel("face_detection", "yunet-2023mar");
export const yunetDynamic = await hubModel("face_detection", "yunet-n-dynamic");
