import type { JobResult, TaskOptions, TaskType } from "@fovea/contract";
import type { MinSize, Picture } from "../picture/decode.ts";
import type { Backend } from "./backend.ts";
import type { ModelFile } from "./model_file.ts";
import type { LentTower } from "./shared_towers.ts";

/**
 * How to get from a picture to a result: one of these for each task type. A further one is a file
 * like image_embedding.ts and a line in list.ts.
 */
export interface Task {
  readonly type: TaskType;
  /** To be raised whenever preparing a picture, or reading the output, could give other numbers. */
  readonly preprocess: number;
  /** Whether its network is an image tower, whose weights workers can share. */
  readonly hasTower: boolean;
  /**
   * Loads the network; called once per worker.
   *
   * @param tower to compute with, in place of what `backend` names
   */
  load(model: ModelFile, backend?: Backend, tower?: LentTower | null): Promise<LoadedTask>;
}

export interface LoadedTask {
  /** How much of a picture it looks at, so that a larger one may be shrunk while it is decoded; unset: all. */
  readonly minSize?: MinSize;
  /**
   * Cuts and scales what the network is to see, so that the picture's pixels can be let go.
   *
   * @param entityId whose picture it is
   * @param options what the job asks beyond the picture
   * @returns runs the network on it and reads its output
   */
  prepare(picture: Picture, entityId: number, options: TaskOptions): () => Promise<JobResult>;
}
