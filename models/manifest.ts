/**
 * Which models there are, where they come from, how their bytes are verified, and what each is for.
 *
 * @module
 */
import type { TaskType } from "@fovea/contract";
import { z } from "zod";
import manifest from "./manifest.json" with { type: "json" };

const source = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("http"),
    url: z.url({ protocol: /^https$/ }),
    /** The commit that the URL is pinned to. */
    revision: z.string().regex(/^[0-9a-f]{40}$/, "expected a commit, 40 hex digits"),
  }).refine((pinned) => pinned.url.includes(`/${pinned.revision}/`), "URL names another revision"),
  /** One file out of a package's tarball, which is never installed. */
  z.strictObject({
    kind: z.literal("npm"),
    package: z.string().min(1),
    version: z.string().regex(/^\d+\.\d+\.\d+$/, "expected an exact version"),
    path: z.string().min(1),
  }),
  /** Written by this project's own generator, the same to the byte everywhere. */
  z.strictObject({ kind: z.literal("generated") }),
]);

const modelEntry = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** Other names under which it can be asked for. */
  aliases: z.array(z.string().regex(/^[a-z0-9-]+$/)),
  task_type: z.string().regex(/^[a-z_]+$/),
  /** False where it is only ever taken by name. */
  auto: z.boolean(),
  /** False for a fixture: what it computes means nothing. */
  semantic: z.boolean(),
  /** Of a fixture that can stand in for the others of its task: the setting that chooses it. */
  setting: z.string().regex(/^[A-Z_]+$/).optional(),
  /** What its user should know; it is printed when the model is fetched by name. */
  note: z.string().min(1).optional(),
  /** Its name in MODELS_DIR and in MODEL_MIRROR. */
  file: z.string().regex(/^\w+\.onnx$/),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected lower-case hex"),
  /** SPDX identifier. */
  licence: z.string().min(1),
  source,
});

/** A model, as the manifest describes it. */
export type ModelEntry = z.output<typeof modelEntry>;

/** All models, for each task the best first. */
export const MODELS: readonly ModelEntry[] =
  z.strictObject({ models: z.array(modelEntry) }).parse(manifest).models;

/** Every value that a task's setting may have: `auto`, names, aliases. */
export function modelChoices(taskType: TaskType): ["auto", ...string[]] {
  const models = MODELS.filter((model) => model.task_type === taskType);
  return ["auto", ...models.flatMap((model) => [model.name, ...model.aliases])];
}

/**
 * The models to try for a task, best first.
 *
 * @param choice `auto`, or the name or alias of the one to use
 * @throws {RangeError} where the task has no such model
 */
export function modelsFor(taskType: TaskType, choice: string = "auto"): ModelEntry[] {
  const models = MODELS.filter((model) => model.task_type === taskType);
  if (choice === "auto") return models.filter((model) => model.auto);
  const named = models.find((model) => model.name === choice || model.aliases.includes(choice));
  if (named !== undefined) return [named];
  throw new RangeError(
    `Cannot choose a model for ${taskType}: "${choice}" is none of ${
      modelChoices(taskType).join(", ")
    }`,
  );
}
