import type { TaskType } from "@fovea/contract";
import type { schemaOf } from "@fovea/http/api";
import type { z } from "zod";
import type { MinSize, Picture } from "../picture/decode.ts";
import type { Backend } from "../runtime/backend.ts";
import type { ModelFile } from "./model_file.ts";
import type { LentTower } from "./shared_towers.ts";

/**
 * All that the service knows of a task: how to get from a picture to a result, and what the rest of
 * the service has to know of its jobs. A further task is a file like image_embedding.ts and a line
 * in list.ts.
 */
export interface Task<Options extends object = object, Result extends object = object> {
  /** Its name in `POST /job/{task_type}`, and wherever tasks are named. */
  readonly type: TaskType;
  /**
   * The setting that chooses one of its models, which are in models/manifest.json; null where it has
   * no weights.
   */
  readonly modelSetting: string | null;
  /** To be raised whenever preparing a picture, or reading the output, could give other numbers. */
  readonly preprocess: number;
  /** Whether its network is an image tower, whose weights workers can share. */
  readonly hasTower: boolean;
  /** What a job may ask beyond the picture: members of the body, each of which may be left out. */
  optionsShape?(tools: SchemaTools): z.ZodRawShape;
  resultSchema(tools: SchemaTools): z.ZodType<Result>;
  /** What events say of a result: no vectors, no image bytes. */
  eventMembers(result: Result): Record<string, string | number | boolean>;
  /** Unset: its results are not delivered to media_store. */
  readonly delivery?: ResultDelivery;
  /** The entity's vector for the collection `image_embeddings`; unset: results have none. */
  vector?(result: Result): readonly number[];
  /**
   * Compares a worker's answer to the canary with what is known. [note: canary]
   *
   * @param first what the first worker answered with the same model, which the others must agree
   *   with; undefined for the first one
   * @returns what is wrong with the answer; undefined where nothing is
   */
  faultOf(answer: Result, first: Result | undefined): string | undefined;
  /**
   * Loads the network; called once per worker.
   *
   * @param tower to compute with, in place of what `backend` names
   */
  load(
    model: ModelFile,
    backend?: Backend,
    tower?: LentTower | null,
  ): Promise<LoadedTask<Options, Result>>;
}

/** What schemas are made with. It is passed in, since workers check nothing and do not load it. */
export interface SchemaTools {
  z: typeof z;
  schemaOf: typeof schemaOf;
}

/** How media_store takes results of a task. */
export interface ResultDelivery {
  /** What they are, in log lines and errors: "faces". */
  readonly what: string;
  /** Where they are posted. */
  path(entityId: number): string;
}

export interface LoadedTask<Options extends object = object, Result extends object = object> {
  /** How much of a picture it looks at, so that a larger one may be shrunk while it is decoded; unset: all. */
  readonly minSize?: MinSize;
  /**
   * Cuts and scales what the network is to see, so that the picture's pixels can be let go.
   *
   * @param entityId whose picture it is
   * @param options what the job asks beyond the picture
   * @returns runs the network on it and reads its output
   */
  prepare(picture: Picture, entityId: number, options: Options): () => Promise<Result>;
}
