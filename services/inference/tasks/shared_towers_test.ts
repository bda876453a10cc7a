import { within } from "@fovea/testing";
import type { EmbeddingResult } from "@fovea/contract";
import { startSuite } from "@fovea/testing/suite";
import { testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { decode } from "../picture/decode.ts";
import { silent } from "../testing/open_jobs.ts";
import type { Work } from "../testing/backend_results.ts";
import { runProgram } from "../testing/native_program.ts";
import { imageEmbedding } from "./image_embedding.ts";
import { type LentTower, type PRECISIONS, SharedTowers } from "./shared_towers.ts";

const model = await testModel("image_embedding", "fixture");
const fixture = { ...model, path: await Deno.realPath(model.path) };
const ASTRONAUT = new URL("../../../clients/images/astronaut.png", import.meta.url).pathname;

/** Towers for two workers, and what they say. */
function openTowers(precision: typeof PRECISIONS[number]) {
  const said: [string, unknown][] = [];
  const say = (facts: Record<string, unknown>, message: string) => said.push([message, facts]);
  const log = Object.assign(Object.create(silent), { info: say, warn: say });
  return { towers: new SharedTowers({ precision, workers: 2, log }), said };
}

async function embed(tower: LentTower | null): Promise<number[]> {
  const task = await imageEmbedding.load(fixture, "wasm", tower);
  using picture = await decode(await Deno.readFile(ASTRONAUT), 1e6, task.minSize);
  return (await task.prepare(picture, 1, {})() as EmbeddingResult).embedding;
}

/** In a process of its own: onnxruntime-web puts another Worker in place of the one that packs. */
async function embedOnOnnxRuntime(): Promise<number[]> {
  const work: Work = { task: "image_embedding", model: fixture, pictures: [ASTRONAUT] };
  const { stdout } = await runProgram("backend_results.ts", ["wasm", JSON.stringify(work)]);
  return JSON.parse(stdout)[0].embedding;
}

const cosine = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

Deno.test("the shared tower embeds as ONNX Runtime does: fp32 to the fifth digit, int8 nearly", async () => {
  const reference = await embedOnOnnxRuntime();
  const { towers } = openTowers("fp32");
  const exact = await embed(await towers.lend(fixture));
  const off = Math.max(...exact.map((value, i) => Math.abs(value - reference[i]!)));
  assert.ok(off < 1e-5, `differs by ${off}`);
  assert.notDeepEqual(exact, reference, "something else computed it");
  const quantised = await embed(await openTowers("int8").towers.lend(fixture));
  assert.ok(cosine(quantised, reference) > 0.995);
  assert.notDeepEqual(quantised, exact);
});

Deno.test("workers have one copy of the weights, until the last one has given it back", async () => {
  const { towers } = openTowers("fp32");
  const [one, other] = await Promise.all([towers.lend(fixture), towers.lend(fixture)]);
  assert.equal(one!.weights.memory, other!.weights.memory);
  assert.notDeepEqual(one!.slot, other!.slot);
  await towers.release(one!);
  const third = await towers.lend(fixture);
  assert.equal(third!.weights.memory, other!.weights.memory);
  await towers.release(third!);
  await towers.release(other!);
  const later = await towers.lend(fixture);
  assert.notEqual(later!.weights.memory, other!.weights.memory);
});

Deno.test("a worker for whom no slot is left waits for the next one, and fails nobody", async () => {
  const { towers } = openTowers("fp32");
  // Twice as many as workers.
  const lent = await Promise.all(Array.from({ length: 4 }, () => towers.lend(fixture)));
  const waiting = towers.lend(fixture);
  const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 200))]);
  assert.equal(early, undefined, "one slot was lent twice");
  await towers.release(lent[2]!);
  assert.equal((await within("a slot", waiting))!.slot.index, lent[2]!.slot.index);
});

Deno.test("a model that is no tower is left to ONNX Runtime, and the log says why", async () => {
  const { towers, said } = openTowers("fp32");
  assert.equal(await towers.lend(await testModel("face_detection", "ultraface-rfb-320")), null);
  const [message, { model, reason }] = said.at(-1) as [string, Record<string, string>];
  assert.equal(message, "model is left to onnxruntime-web");
  assert.equal(model, "ultraface-rfb-320");
  assert.match(reason!, /^Cannot read the model as an image tower: /);
});

Deno.test("results and /info name what computes, and in which precision", async () => {
  for (
    const [env, backend] of [
      [{}, /^@fovea\/vit \d+\.\d+\.\d+ wasm fp32$/],
      [{ EMBEDDING_PRECISION: "int8" }, /wasm int8, [78]-bit activations$/],
      [{ EMBEDDING_PRECISION: "auto" }, /wasm (fp32|int8, 8-bit activations)$/],
    ] as const
  ) {
    await using suite = await startSuite(env);
    const { tasks } = await suite.info();
    const { model } = tasks.find(({ task_type }) => task_type === "image_embedding")!;
    assert.match(model!.backend!, backend);
    const { id } = await suite.upload(await Deno.readFile(ASTRONAUT));
    const { job_id } = await suite.submit("image_embedding", { media_store_id: id });
    const job = await suite.ended(job_id);
    assert.equal(job.model!.backend, model!.backend);
  }
});
