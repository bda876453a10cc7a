/**
 * Small towers of seeded random weights, for tests.
 *
 * @module
 */
import type { Linear, Norm, Tower, TowerShape } from "../tower.ts";

/** As small as a tower can be that has more than one of everything. */
export const SMALL: TowerShape = {
  imageSize: 24,
  patch: 6,
  width: 48,
  heads: 3,
  layers: 2,
  mlp: 80,
  tokens: 17,
  embedding: 24,
  activation: "quick_gelu",
  epsilon: 1e-5,
};

export function randomTower(shape: TowerShape, seed = 1): Tower {
  const random = randomNumbers(seed);
  const draw = (length: number, spread: number, centre = 0) =>
    Float32Array.from({ length }, () => centre + spread * random());
  const { patch, width, mlp, tokens, embedding, layers } = shape;
  const norm = (): Norm => ({ gain: draw(width, 0.2, 1), bias: draw(width, 0.2) });
  // Such a spread keeps the variance of what flows through.
  const projection = (inputs: number, outputs: number) => ({
    inputs,
    outputs,
    weight: draw(inputs * outputs, Math.sqrt(3 / inputs)),
  });
  const linear = (inputs: number, outputs: number): Linear => ({
    ...projection(inputs, outputs),
    bias: draw(outputs, 0.2),
  });
  return {
    shape,
    patchEmbedding: projection(3 * patch ** 2, width),
    classToken: draw(width, 1),
    positions: draw(tokens * width, 1),
    normBefore: norm(),
    blocks: Array.from({ length: layers }, () => ({
      norm1: norm(),
      query: linear(width, width),
      key: linear(width, width),
      value: linear(width, width),
      output: linear(width, width),
      norm2: norm(),
      up: linear(width, mlp),
      down: linear(mlp, width),
    })),
    normAfter: norm(),
    projection: projection(width, embedding),
  };
}

/** Pictures of a tower's size, of seeded random numbers of −2…2. */
export function randomPictures({ imageSize }: TowerShape, count: number, seed = 2): Float32Array[] {
  const random = randomNumbers(seed);
  const length = 3 * imageSize ** 2;
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => 2 * random()));
}

/** One picture after the other, as encoders take them. */
export function batchOf(pictures: Float32Array[]): Float32Array {
  const length = pictures[0]!.length;
  const batch = new Float32Array(pictures.length * length);
  pictures.forEach((picture, i) => batch.set(picture, i * length));
  return batch;
}

/** Numbers of −1…1 from the shift register xorshift32 (Marsaglia 2003). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
