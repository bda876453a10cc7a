/**
 * A program for tests: does tasks on a backend and prints their results as JSON, since native code
 * is not allowed in the tests' own process. Arguments: the backend, and {@link Work} as JSON.
 *
 * @module
 */
import type { TaskType } from "@fovea/contract";
import { decode } from "../picture/decode.ts";
import type { Backend } from "../runtime/backend.ts";
import { TASKS } from "../tasks/list.ts";
import type { ModelFile } from "../tasks/model_file.ts";

/** A model and the pictures it is shown. */
export interface Work {
  task: TaskType;
  model: ModelFile;
  /** Paths. */
  pictures: string[];
}

const [backend, work] = Deno.args as [Backend, string];
const { task, model, pictures }: Work = JSON.parse(work);
const loaded = await TASKS.get(task).load(model, backend);
const results: object[] = [];
for (const path of pictures) {
  using picture = await decode(await Deno.readFile(path), Infinity, loaded.minSize);
  results.push(await loaded.prepare(picture, 1, {})());
}
console.log(JSON.stringify(results));
