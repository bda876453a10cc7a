/**
 * Small towers of seeded random weights, for tests.
 *
 * @module
 */
import type {
  ImageTower,
  ImageTowerShape,
  Linear,
  Norm,
  TextTower,
  TextTowerShape,
  Transformer,
  TransformerShape,
} from "../tower.ts";

/** As small as a tower can be that has more than one of everything. */
export const SMALL: ImageTowerShape = {
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

/** The same of words. */
export const SMALL_TEXT: TextTowerShape = {
  vocabulary: 40,
  width: 48,
  heads: 3,
  layers: 2,
  mlp: 80,
  tokens: 21,
  embedding: 24,
  activation: "quick_gelu",
  epsilon: 1e-5,
};

export function randomTower(shape: ImageTowerShape, seed = 1): ImageTower {
  const { draw, norm, projection, ...drawn } = drawer(shape, seed);
  const { patch, width } = shape;
  return {
    shape,
    patchEmbedding: projection(3 * patch ** 2, width),
    classToken: draw(width, 1),
    normBefore: norm(),
    ...drawn.transformer(),
  };
}

export function randomTextTower(shape: TextTowerShape, seed = 1): TextTower {
  const { draw, transformer } = drawer(shape, seed);
  return {
    tokenEmbedding: draw(shape.vocabulary * shape.width, 1),
    ...transformer(),
    shape,
  };
}

function drawer(shape: TransformerShape, seed: number) {
  const random = randomNumbers(seed);
  const draw = (length: number, spread: number, centre = 0) =>
    Float32Array.from({ length }, () => centre + spread * random());
  const { width, mlp, tokens, embedding, layers } = shape;
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
  const transformer = (): Omit<Transformer, "shape"> => ({
    positions: draw(tokens * width, 1),
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
  });
  return { draw, norm, projection, transformer };
}

/** Pictures of a tower's size, of seeded random numbers of −2…2. */
export function randomPictures(
  { imageSize }: ImageTowerShape,
  count: number,
  seed = 2,
): Float32Array[] {
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
