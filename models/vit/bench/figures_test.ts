import { temporaryFolder } from "@fovea/testing";
import { testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { measureInChildProcess } from "./encoder.ts";
import { figuresOf } from "./figures.ts";
import type { EncoderMeasured } from "./measure.ts";

const proof = { pictures: 16, smallestCosine: 0.999, neighboursKept: 16, isGood: true };

/** Measurements that only just hold. */
const measured = (change: Partial<EncoderMeasured> = {}): EncoderMeasured[] => {
  const rest = {
    levels: 255 as const,
    speeds: [],
    kernels: { roofline: { fp32: 53, int8: 204 }, kernels: [] },
  };
  return [
    { precision: "fp32", proof: null, readingMs: 800, memory: 500e6, ...rest },
    { precision: "int8", proof, readingMs: 300, memory: 220e6, ...rest, ...change },
  ];
};

const missed = (encoders: EncoderMeasured[], difference = 1e-5) =>
  figuresOf(encoders, difference).filter(({ holds }) => !holds).map(({ name }) => name);

Deno.test("an encoder just within its bounds keeps them, and beyond one it misses that one", () => {
  assert.equal(figuresOf(measured(), 1e-5).length, 6);
  assert.deepEqual(missed(measured()), []);
  assert.deepEqual(missed(measured(), 1.1e-5), ["encoder, fp32: difference to float64 : 1e-5"]);
  assert.deepEqual(missed(measured({ memory: 221e6 })), ["encoder, int8: MB with two threads"]);
  assert.deepEqual(missed(measured({ readingMs: 301 })), [
    "encoder, int8: ms to read packed weights",
  ]);
  const less = { ...proof, smallestCosine: 0.998 };
  assert.deepEqual(missed(measured({ proof: less })), [
    "encoder, int8: smallest cosine to fp32, made-up pictures",
  ]);
  assert.deepEqual(missed(measured({ proof: less, levels: 127 })), []);
});

Deno.test("the encoder is measured in a process of its own", async () => {
  await using folder = await temporaryFolder();
  const { path, sha256 } = await testModel("image_embedding", "fixture");
  await Deno.copyFile(path, `${folder.path}/tower.onnx`);
  const { memory, speeds, kernels, ...rest } = await measureInChildProcess(
    { path: `${folder.path}/tower.onnx`, sha256 },
    "int8",
    0.05,
  );
  assert.equal(rest.precision, "int8");
  assert.ok(rest.proof!.isGood && rest.readingMs > 0 && memory > 50e6);
  assert.deepEqual(speeds.map(({ threads, batch }) => [threads, batch]), [
    [1, 1],
    [2, 1],
    [1, 4],
    [1, 8],
    [2, 4],
    [2, 8],
  ]);
  assert.ok(speeds.every(({ bestMs, picturesPerSecond }) => bestMs > 0 && picturesPerSecond > 0));
  assert.ok(kernels.roofline.int8 > 0 && kernels.roofline.fp32 > 0 && kernels.kernels.length > 10);
});
