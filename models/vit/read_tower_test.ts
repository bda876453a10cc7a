import { testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { FIXTURE, VIT_B_32, writeClipTower } from "../clip_tower.ts";
import { seededWeights } from "../clip_weights.ts";
import { readTower } from "./read_tower.ts";
import {
  EXPORTED_TOWERS,
  exportedTower,
  goldenPictures,
  largestDifference,
} from "./testing/exported_towers.ts";
import { embedPlainly } from "./testing/reference.ts";
import { openRuntime } from "./testing/runtime.ts";

for (const [name, golden] of Object.entries(EXPORTED_TOWERS)) {
  Deno.test(`${name}, as torch exports it, is read as the tower that torch ran`, () => {
    const tower = readTower(exportedTower(name));
    const { epsilon, tokens, ...shape } = tower.shape;
    const { embeddings, shape: expected } = golden;
    assert.deepEqual(shape, expected);
    assert.equal(tokens, (shape.imageSize / shape.patch) ** 2 + 1);
    assert.equal(epsilon, Math.fround(1e-5));
    assert.equal(tower.blocks.length, shape.layers);
    const pictures = goldenPictures(embeddings.length, shape.imageSize);
    for (const [i, picture] of pictures.entries()) {
      assert.ok(largestDifference(embedPlainly(tower, picture), embeddings[i]!) < 1e-5);
    }
  });
}

Deno.test("the fixture is read as what onnxruntime-web makes of it", async () => {
  await using runtime = await openRuntime(writeClipTower(FIXTURE));
  const tower = readTower(writeClipTower(FIXTURE));
  const [picture] = goldenPictures(1, FIXTURE.imageSize);
  const [embedding] = await runtime.embed([picture!]);
  assert.ok(largestDifference(embedPlainly(tower, picture!), embedding!) < 1e-4);
});

Deno.test("the fixture is read with every number it was written with", () => {
  const tower = readTower(writeClipTower(FIXTURE, 7));
  const weights = seededWeights(FIXTURE, 7);
  const at = (name: string) => weights.get(name)!.data;
  for (const [layer, block] of tower.blocks.entries()) {
    const name = `vision_model.encoder.layers.${layer}`;
    const { norm1, query, key, value, output, norm2, up, down } = block;
    for (
      const [part, { weight, bias }] of Object.entries({
        "self_attn.q_proj": query,
        "self_attn.k_proj": key,
        "self_attn.v_proj": value,
        "self_attn.out_proj": output,
        "mlp.fc1": up,
        "mlp.fc2": down,
        "layer_norm1": { weight: norm1.gain, bias: norm1.bias },
        "layer_norm2": { weight: norm2.gain, bias: norm2.bias },
      })
    ) {
      assert.equal(largestDifference(weight, at(`${name}.${part}.weight`)), 0);
      assert.equal(largestDifference(bias, at(`${name}.${part}.bias`)), 0);
    }
  }
  const embeddings = "vision_model.embeddings";
  assert.equal(largestDifference(tower.classToken, at(`${embeddings}.class_embedding`)), 0);
  assert.equal(
    largestDifference(tower.positions, at(`${embeddings}.position_embedding.weight`)),
    0,
  );
  assert.equal(largestDifference(tower.projection.weight, at("visual_projection.weight")), 0);
  // Filters are stored [width][patch] and read [patch][width].
  const { inputs, outputs, weight } = tower.patchEmbedding;
  const filters = at(`${embeddings}.patch_embedding.weight`);
  assert.deepEqual([inputs, outputs], [3 * FIXTURE.patchSize ** 2, FIXTURE.width]);
  assert.equal(weight[5 * outputs + 3], filters[3 * inputs + 5]);
});

const WHOLE_SIZE = new URL("../cache/clip_vit_b_32_seeded.onnx", import.meta.url);
const wholeSize = {
  isThere: await Deno.stat(WHOLE_SIZE).then(({ isFile }) => isFile, () => false),
  what: "clip-vit-b-32-seeded (in models/cache, where the bench keeps it)",
};

testNeeding(
  [wholeSize],
  "a tower of ViT-B/32's size is read without copying its blocks",
  async () => {
    const bytes = await Deno.readFile(WHOLE_SIZE);
    const tower = readTower(bytes);
    assert.deepEqual(tower.shape, {
      imageSize: 224,
      patch: 32,
      width: 768,
      heads: 12,
      layers: 12,
      mlp: 3072,
      tokens: 50,
      embedding: 512,
      activation: "quick_gelu",
      epsilon: Math.fround(1e-5),
    });
    for (const { query, key, value, output, up, down } of tower.blocks) {
      for (const { weight, bias } of [query, key, value, output, up, down]) {
        assert.equal(weight.buffer, bytes.buffer);
        assert.equal(bias.buffer, bytes.buffer);
      }
    }
    assert.equal(tower.blocks.length, VIT_B_32.layers);
  },
);
