import { SettingsError } from "@fovea/process/settings";
import type { EmbeddingResult, FaceDetectionResult } from "@fovea/contract";
import { testNeeding } from "@fovea/testing";
import { type TestModel, testModel, yunet } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { inferenceSettings } from "../settings.ts";
import type { Work } from "../testing/backend_results.ts";
import { native, runProgram } from "../testing/native_program.ts";
import { type Backend, BACKEND_NAMES } from "./backend.ts";
import { openSession } from "./onnx_session.ts";

// The runtime's first session opens a message port that it keeps: not a leak of the test at hand.
await openSession(import.meta.filename!).catch(() => {});

const ROOT = new URL("../../../", import.meta.url);
const PICTURES = ["astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg"]
  .map((name) => new URL(`clients/images/${name}`, ROOT).pathname);

const run = (backend: Backend, work: Work, flags?: string[]) =>
  runProgram("backend_results.ts", [backend, JSON.stringify(work)], flags);

/** Results of both backends, which must not be the very same: then one has been asked twice. */
async function both<Result>(task: Work["task"], model: TestModel): Promise<[Result, Result][]> {
  const of = async (backend: Backend): Promise<Result[]> => {
    const { code, stdout, stderr } = await run(backend, { task, model, pictures: PICTURES });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const [wasm, native] = [await of("wasm"), await of("native")];
  assert.notDeepEqual(wasm, native);
  return wasm.map((result, i) => [result, native[i]!]);
}

function near(a: number[], b: number[], most: number): void {
  assert.equal(a.length, b.length);
  const largest = Math.max(0, ...a.map((value, i) => Math.abs(value - b[i]!)));
  assert.ok(largest <= most, `differs by ${largest}: at most ${most} is allowed`);
}

testNeeding([native], "both backends give the same embeddings within 1e-4", async () => {
  const fixture = await testModel("image_embedding", "fixture");
  for (const [wasm, native] of await both<EmbeddingResult>("image_embedding", fixture)) {
    near(wasm.embedding, native.embedding, 1e-4);
  }
});

async function sameFaces(model: TestModel): Promise<void> {
  for (const [wasm, native] of await both<FaceDetectionResult>("face_detection", model)) {
    assert.equal(wasm.face_count, native.face_count);
    for (const [i, { bbox, landmarks, confidence }] of wasm.faces.entries()) {
      const other = native.faces[i]!;
      near(Object.values(bbox), Object.values(other.bbox), 1);
      near((landmarks ?? []).flat(), (other.landmarks ?? []).flat(), 1);
      near([confidence], [other.confidence], 1e-3);
    }
  }
}

testNeeding([native], "both backends find the same faces within a pixel, UltraFace", async () => {
  await sameFaces(await testModel("face_detection", "ultraface-rfb-320"));
});

testNeeding(
  [native, yunet],
  "both backends find the same faces within a pixel, YuNet",
  async () => {
    await sameFaces(yunet.model!);
  },
);

Deno.test("without its permission the native backend says how to come by it", async () => {
  const model = await testModel("image_embedding", "fixture");
  const work: Work = { task: "image_embedding", model, pictures: [] };
  const { code, stderr } = await run("native", work, ["--unstable-detect-cjs"]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot load onnxruntime-node: .* (allowed|installed): start the service by `.\/fovea inference-native`/,
  );
});

Deno.test("a network that can't be loaded is refused without telling where it was sought", async () => {
  const folder = new URL(".", import.meta.url).pathname;
  await assert.rejects(openSession(`${folder}missing.onnx`), (error: Error) => {
    assert.match(error.message, /missing\.onnx/);
    assert.doesNotMatch(error.message, new RegExp(folder));
    return true;
  });
  await assert.rejects(openSession(`${folder}task.ts`));
});

Deno.test("backends are named by their library, its exact version and its build", () => {
  assert.match(BACKEND_NAMES.wasm, /^onnxruntime-web \d+\.\d+\.\d+ wasm$/);
  assert.match(BACKEND_NAMES.native, /^onnxruntime-node \d+\.\d+\.\d+ native$/);
});

Deno.test("the backend is wasm unless native is asked for, and nothing else", () => {
  const backend = (value?: string) => {
    const env = new Map(value === undefined ? [] : [["INFERENCE_BACKEND", value]]);
    return inferenceSettings(env).INFERENCE_BACKEND;
  };
  assert.deepEqual([backend(), backend("native")], ["wasm", "native"]);
  assert.throws(() => backend("gpu"), SettingsError);
});
