import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as ort from "onnxruntime-web";
import { FIXTURE, TOWERS, writeClipTower, writeQuantisedClipTower } from "./clip_tower.ts";
import { seededWeights, tokenCount, type TowerShape, type Weights } from "./clip_weights.ts";
import { modelsFor } from "./manifest.ts";

ort.env.wasm.numThreads = 1;

const TINY: TowerShape = {
  imageSize: 8,
  patchSize: 4,
  width: 6,
  layers: 2,
  heads: 2,
  mlpWidth: 10,
  embeddingSize: 5,
};

// The runtime's first session opens a message port that it keeps: not a leak of the test at hand.
await (await loadTower(TINY))[Symbol.asyncDispose]();

interface Tower extends AsyncDisposable {
  /** @param pictures of `pixelCount` numbers each @returns their embeddings */
  embed(...pictures: Float32Array[]): Promise<Float32Array[]>;
  pixelCount: number;
}

async function loadTower(shape: TowerShape, onnx = writeClipTower(shape)): Promise<Tower> {
  const session = await ort.InferenceSession.create(onnx, { executionProviders: ["wasm"] });
  const pixelCount = 3 * shape.imageSize ** 2;
  return {
    pixelCount,
    async embed(...pictures) {
      const pixels = new Float32Array(pictures.length * pixelCount);
      pictures.forEach((picture, i) => pixels.set(picture, i * pixelCount));
      const dims = [pictures.length, 3, shape.imageSize, shape.imageSize];
      const { image_embeds } = await session.run({
        pixel_values: new ort.Tensor("float32", pixels, dims),
      });
      assert.deepEqual(image_embeds!.dims, [pictures.length, shape.embeddingSize]);
      const numbers = image_embeds!.data as Float32Array;
      return pictures.map((_, i) =>
        numbers.slice(i * shape.embeddingSize, (i + 1) * shape.embeddingSize)
      );
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** Two pictures with numbers of -1…1: one that grows brighter to the right, one of fine stripes. */
function twoPictures(pixelCount: number, side: number): [Float32Array, Float32Array] {
  return [
    Float32Array.from({ length: pixelCount }, (_, i) => 2 * (i % side) / side - 1),
    Float32Array.from({ length: pixelCount }, (_, i) => (Math.floor(i / side) % 5) / 2 - 1),
  ];
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

for (const [name, write] of Object.entries(TOWERS)) {
  Deno.test(`${name} is the same to the byte as when the manifest was written`, () => {
    const [entry] = modelsFor("image_embedding", name);
    const bytes = write();
    assert.equal(bytes.length, entry!.bytes);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), entry!.sha256);
  });
}

Deno.test("the fixture is small", () => {
  assert.ok(writeClipTower(FIXTURE).length < 20_000_000);
});

Deno.test("another seed gives another tower", () => {
  assert.notDeepEqual(writeClipTower(TINY, 1), writeClipTower(TINY, 2));
});

Deno.test("the fixture tells pictures apart, and the same picture gives the same bits", async () => {
  await using tower = await loadTower(FIXTURE);
  const [a, b] = twoPictures(tower.pixelCount, FIXTURE.imageSize);
  const [first] = await tower.embed(a);
  const [again] = await tower.embed(a);
  const [other] = await tower.embed(b);
  assert.ok(first!.every(Number.isFinite) && other!.every(Number.isFinite));
  assert.deepEqual(again, first);
  assert.ok(cosine(first!, other!) < 0.9, `cosine is ${cosine(first!, other!)}`);
});

Deno.test("pictures in one batch don't see each other", async () => {
  await using tower = await loadTower(FIXTURE);
  const [a, b] = twoPictures(tower.pixelCount, FIXTURE.imageSize);
  const [ofA, ofB] = await tower.embed(a, b);
  assert.ok(largestDifference(ofA!, (await tower.embed(a))[0]!) < 1e-5);
  assert.ok(largestDifference(ofB!, (await tower.embed(b))[0]!) < 1e-5);
});

Deno.test("quantised, the tower is smaller by far and much the same to onnxruntime-web", async () => {
  const quantised = writeQuantisedClipTower(FIXTURE);
  const exact = writeClipTower(FIXTURE);
  // The patches' filters, a quarter of the fixture, stay as they are.
  assert.ok(quantised.length < exact.length / 2, `${quantised.length} of ${exact.length}`);
  await using tower = await loadTower(FIXTURE, exact);
  await using other = await loadTower(FIXTURE, quantised);
  for (const picture of twoPictures(tower.pixelCount, FIXTURE.imageSize)) {
    const [ofExact] = await tower.embed(picture);
    const [ofQuantised] = await other.embed(picture);
    assert.ok(cosine(ofExact!, ofQuantised!) > 0.99);
    assert.notDeepEqual(ofQuantised, ofExact);
  }
});

Deno.test("the graph computes what CLIP's paper says, by a second computation in float64", async () => {
  const seed = 7;
  await using tower = await loadTower(TINY, writeClipTower(TINY, seed));
  const weights = seededWeights(TINY, seed);
  for (const picture of twoPictures(tower.pixelCount, TINY.imageSize)) {
    const [embedding] = await tower.embed(picture);
    const reference = referenceEmbedding(TINY, weights, picture);
    assert.ok(Math.max(...reference.map(Math.abs)) > 0.1);
    assert.ok(largestDifference(embedding!, reference) < 1e-4);
  }
});

/** The tower once more, token by token and number by number. */
function referenceEmbedding(shape: TowerShape, weights: Weights, picture: Float32Array): number[] {
  const { imageSize, patchSize, width, heads } = shape;
  const at = (name: string) => weights.get(name)!.data;
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const plus = (a: number[], b: ArrayLike<number>) => a.map((value, i) => value + b[i]!);
  const times = (input: number[], name: string, outputs: number) =>
    Array.from(
      { length: outputs },
      (_, o) => input.reduce((sum, value, i) => sum + value * at(name)[i * outputs + o]!, 0),
    );
  const linear = (input: number[], name: string, outputs: number) =>
    plus(times(input, `${name}.weight`, outputs), at(`${name}.bias`));
  const layerNorm = (input: number[], name: string) => {
    const mean = input.reduce((sum, value) => sum + value) / width;
    const variance = input.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    return input.map((value, i) =>
      (value - mean) / Math.sqrt(variance + 1e-5) * at(`${name}.weight`)[i]! +
      at(`${name}.bias`)[i]!
    );
  };

  // Patches row by row, each against every filter; the class token first.
  let tokens = [Array.from(at("vision_model.embeddings.class_embedding"))];
  const filters = at("vision_model.embeddings.patch_embedding.weight");
  for (let top = 0; top < imageSize; top += patchSize) {
    for (let left = 0; left < imageSize; left += patchSize) {
      const patch: number[] = [];
      for (let channel = 0; channel < 3; channel++) {
        for (let y = top; y < top + patchSize; y++) {
          const row = (channel * imageSize + y) * imageSize;
          patch.push(...picture.subarray(row + left, row + left + patchSize));
        }
      }
      const length = patch.length;
      tokens.push(Array.from(
        { length: width },
        (_, filter) => dot(patch, [...filters.subarray(filter * length, (filter + 1) * length)]),
      ));
    }
  }
  assert.equal(tokens.length, tokenCount(shape));
  const positions = at("vision_model.embeddings.position_embedding.weight");
  tokens = tokens.map((token, t) => plus(token, positions.subarray(t * width, (t + 1) * width)));
  tokens = tokens.map((token) => layerNorm(token, "vision_model.pre_layrnorm"));

  for (let layer = 0; layer < shape.layers; layer++) {
    const name = `vision_model.encoder.layers.${layer}`;
    const normed = tokens.map((token) => layerNorm(token, `${name}.layer_norm1`));
    const project = (which: string) =>
      normed.map((token) => linear(token, `${name}.self_attn.${which}_proj`, width));
    const [queries, keys, values] = [project("q"), project("k"), project("v")];
    tokens = tokens.map((token, t) => {
      const mixed: number[] = [];
      const headWidth = width / heads;
      for (let head = 0; head < heads; head++) {
        const slice = (vector: number[]) => vector.slice(head * headWidth, (head + 1) * headWidth);
        const scores = keys.map((key) =>
          Math.exp(dot(slice(queries[t]!), slice(key)) / Math.sqrt(headWidth))
        );
        const sum = scores.reduce((total, score) => total + score);
        for (let i = 0; i < headWidth; i++) {
          mixed.push(dot(scores, values.map((value) => slice(value)[i]!)) / sum);
        }
      }
      return plus(token, linear(mixed, `${name}.self_attn.out_proj`, width));
    });
    tokens = tokens.map((token) => {
      const hidden = linear(
        layerNorm(token, `${name}.layer_norm2`),
        `${name}.mlp.fc1`,
        shape.mlpWidth,
      )
        .map((value) => value / (1 + Math.exp(-1.702 * value)));
      return plus(token, linear(hidden, `${name}.mlp.fc2`, width));
    });
  }
  const pooled = layerNorm(tokens[0]!, "vision_model.post_layernorm");
  return times(pooled, "visual_projection.weight", shape.embeddingSize);
}
