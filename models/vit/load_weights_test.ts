import { type Need, temporaryFolder, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { writeClipTower } from "../clip_tower.ts";
import { type LoadOptions, loadWeights } from "./load_weights.ts";
import { loadAndEmbedElsewhere } from "./testing/load_and_embed.ts";
import { cosine } from "./packing/proof.ts";
import { largestDifference } from "./testing/exported_towers.ts";
import { openFirst } from "./testing/packed_towers.ts";
import { randomPictures, SMALL } from "./testing/random_tower.ts";
import { embedPlainly } from "./testing/reference.ts";
import { readTower } from "./read_tower.ts";
import { UnsupportedModel } from "./unsupported_model.ts";
import type { Weights } from "./weights.ts";

/** SMALL, in the words of the generator. */
const SHAPE = {
  imageSize: 24,
  patchSize: 6,
  width: 48,
  heads: 3,
  layers: 2,
  mlpWidth: 80,
  embeddingSize: 24,
};
const onnx = writeClipTower(SHAPE);
const pictures = randomPictures(SMALL, 2);
const expected = embedPlainly(readTower(onnx.slice()), pictures[0]!);

const embed = (weights: Weights) => openFirst(weights).run(pictures[0]!);

/** A folder with a model in it, and how often that was packed. */
async function modelFolder(bytes = onnx) {
  const folder = await temporaryFolder();
  const modelPath = `${folder.path}/tower.onnx`;
  await Deno.writeFile(modelPath, bytes);
  const notices: string[] = [];
  return {
    modelPath,
    packedPath: `${folder.path}/tower.fp32.packed`,
    notices,
    load: (options: LoadOptions = {}) =>
      loadWeights(modelPath, { onNotice: (text) => notices.push(text), ...options }),
    files: () => [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("a model is packed once, and read from then on", async () => {
  await using folder = await modelFolder();
  const first = embed(await folder.load());
  assert.ok(largestDifference(first, expected) < 1e-5);
  assert.deepEqual(folder.files(), ["tower.fp32.packed", "tower.onnx"]);
  assert.deepEqual(embed(await folder.load({ slots: 3, maxBatch: 4 })), first);
  assert.equal(folder.notices.length, 1);
  assert.match(folder.notices[0]!, /^packing tower\.onnx as fp32: .*there is none yet$/);
});

Deno.test("a packed file that is damaged is packed again", async () => {
  await using folder = await modelFolder();
  const first = embed(await folder.load());
  const packed = await Deno.readFile(folder.packedPath);
  for (
    const change of [
      packed.slice(0, 5000),
      packed.map((byte, i) => i === 9999 ? byte ^ 8 : byte),
    ]
  ) {
    await Deno.writeFile(folder.packedPath, change);
    assert.deepEqual(embed(await folder.load()), first);
    assert.deepEqual(await Deno.readFile(folder.packedPath), packed);
  }
  assert.equal(folder.notices.length, 3);
});

Deno.test("another model under the same name is packed anew", async () => {
  await using folder = await modelFolder();
  const first = embed(await folder.load());
  await Deno.writeFile(folder.modelPath, writeClipTower(SHAPE, 5));
  assert.notDeepEqual(embed(await folder.load()), first);
  assert.match(folder.notices[1]!, /it was packed from another model/);
});

Deno.test("a model whose digest is not the one given is not packed", async () => {
  await using folder = await modelFolder();
  await assert.rejects(
    folder.load({ sha256: "0".repeat(64) }),
    /its SHA-256 is .*, and was to be 0000/,
  );
  assert.deepEqual(folder.files(), ["tower.onnx"]);
});

Deno.test("threads and processes that load at the same time get the same weights, packed once", async () => {
  await using folder = await modelFolder();
  const [here, alsoHere, ...elsewhere] = await Promise.all([
    folder.load().then(embed),
    folder.load().then(embed),
    loadAndEmbedElsewhere(folder.modelPath, "fp32"),
    loadAndEmbedElsewhere(folder.modelPath, "fp32"),
  ]);
  assert.deepEqual(here, alsoHere);
  for (const { embedding } of elsewhere) assert.deepEqual(embedding, [...here]);
  const packed = elsewhere.reduce((sum, { notices }) => sum + notices, folder.notices.length);
  assert.equal(packed, 1);
  assert.deepEqual(folder.files(), ["tower.fp32.packed", "tower.onnx"]);
});

/** Processors that lack something are feigned by switches that V8 has for x86 only. */
const x86: Need = { isThere: Deno.build.arch === "x86_64", what: "an x86-64 processor" };

testNeeding(
  [x86],
  "where the dot product is not exact with 255, int8 takes 7 bits and proves itself anew",
  async () => {
    await using folder = await modelFolder();
    const here = embed(await folder.load({ precision: "int8" }));
    const flags = "--no-enable-avx-vnni,--no-enable-avx-vnni-int8";
    const { levels, notices, embedding } = await loadAndEmbedElsewhere(
      folder.modelPath,
      "int8",
      flags,
    );
    assert.equal(levels, 127);
    assert.ok(notices <= 1);
    assert.ok(cosine(Float32Array.from(embedding!), here) > 0.998);
  },
);

testNeeding([x86], "where relaxed SIMD is missing, loading is refused by name", async () => {
  await using folder = await modelFolder();
  const flags = "--no-enable-avx,--no-enable-sse4-2,--no-enable-sse4-1,--no-enable-ssse3";
  const answer = await loadAndEmbedElsewhere(folder.modelPath, "fp32", flags);
  assert.deepEqual(answer, { notices: 0, unsupported: "this runtime has no relaxed SIMD" });
});

Deno.test("what a packer that died has left behind is overwritten", async () => {
  await using folder = await modelFolder();
  await Deno.writeFile(`${folder.packedPath}.part`, new Uint8Array(1 << 20).fill(1));
  assert.ok(largestDifference(embed(await folder.load()), expected) < 1e-5);
  assert.deepEqual(folder.files(), ["tower.fp32.packed", "tower.onnx"]);
});

Deno.test("packed weights may lie in a folder of their own", async () => {
  await using folder = await modelFolder();
  await using cache = await temporaryFolder();
  await folder.load({ cacheDir: cache.path });
  assert.deepEqual(folder.files(), ["tower.onnx"]);
  assert.ok((await Deno.stat(`${cache.path}/tower.fp32.packed`)).isFile);
});

Deno.test("int8 that proves itself is used, and its proof is kept", async () => {
  await using folder = await modelFolder();
  const first = await folder.load({ precision: "int8" });
  assert.equal(first.precision, "int8");
  assert.ok(
    first.proof!.isGood && first.proof!.smallestCosine >= 0.995,
    JSON.stringify(first.proof),
  );
  const again = await folder.load({ precision: "int8" });
  assert.deepEqual(again.proof, first.proof);
  assert.deepEqual(embed(again), embed(first));
  assert.equal(folder.notices.length, 1);
});

Deno.test("int8 that does not prove itself stays fp32, and says what was measured, once and for all", async () => {
  await using folder = await modelFolder();
  // A picture that no precision makes sense of.
  const grey = new Float32Array(pictures[0]!.length);
  const calibration = [grey, grey.map((_, i) => i === 0 ? NaN : 0)];
  for (let i = 0; i < 2; i++) {
    const weights = await folder.load({ precision: "int8", calibration });
    assert.equal(weights.precision, "fp32");
    assert.equal(weights.proof!.isGood, false);
    assert.ok(largestDifference(embed(weights), expected) < 1e-5);
  }
  assert.equal(folder.notices.length, 2); // as int8, and as fp32
});

for (
  const [name, bytes, message] of [
    [
      "that is no ONNX file",
      new Uint8Array(1000).fill(1),
      /Cannot read the model as an image tower/,
    ],
    ["that is cut off", onnx.slice(0, 5000), /Cannot read the model as an image tower/],
    ["that can't be tiled", writeClipTower({ ...SHAPE, width: 40, heads: 5 }), /can't be tiled/],
  ] as const
) {
  Deno.test(`a model ${name} is refused by name and leaves nothing behind`, async () => {
    await using folder = await modelFolder(bytes);
    await assert.rejects(folder.load(), (error) => {
      assert.ok(error instanceof UnsupportedModel, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(folder.files(), ["tower.onnx"]);
  });
}
