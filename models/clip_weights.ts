/**
 * Seeded weights for a tower of CLIP's shape, the same to the bit on every machine: integers from a
 * shift register, and of floating point only operations that IEEE 754 rounds exactly.
 *
 * @module
 */
import type { Tensor } from "./onnx.ts";

/** The sizes of a CLIP image tower (Radford et al. 2021, arXiv 2103.00020, table 20). */
export interface TowerShape {
  /** Pixels on a side of the picture, a multiple of `patchSize`. */
  imageSize: number;
  /** Pixels on a side of a patch; patches don't overlap. */
  patchSize: number;
  /** Numbers a token has, a multiple of `heads`. */
  width: number;
  layers: number;
  heads: number;
  /** Width of the hidden layer between the two matrices of an MLP. */
  mlpWidth: number;
  /** Numbers an embedding has. */
  embeddingSize: number;
}

export type Weights = Map<string, Tensor & { data: Float32Array<ArrayBuffer> }>;

/** Patches, and the class token before them. */
export function tokenCount({ imageSize, patchSize }: TowerShape): number {
  return (imageSize / patchSize) ** 2 + 1;
}

/**
 * Of queries and values: how much tokens look at single ones, and take from them. With 1, the class
 * token stays much the same whatever the picture (cosines of 0.46 to 0.93 between the embeddings of
 * eight photos and synthetic pictures with the fixture's sizes); with 2 they spread (-0.15 to 0.75).
 */
const ATTENTION_GAIN = 2;

/**
 * Draws all weights of a tower, named as Hugging Face's `CLIPVisionModelWithProjection` names them.
 *
 * Matrices have the shape [in, out]; patch filters [width, 3, patchSize, patchSize].
 */
export function seededWeights(shape: TowerShape, seed: number): Weights {
  const { width, mlpWidth } = shape;
  const uniform = uniformSource(seed);
  const weights: Weights = new Map();
  const draw = (name: string, dims: number[], centre: number, spread: number) => {
    const data = new Float32Array(dims.reduce((size, dim) => size * dim, 1));
    for (let i = 0; i < data.length; i++) data[i] = centre + spread * uniform();
    weights.set(name, { dims, data });
  };
  // Numbers drawn evenly from ±s have the variance s² / 3: this s keeps that of what flows through.
  const matrix = (name: string, fanIn: number, dims: number[], gain = 1) =>
    draw(`${name}.weight`, dims, 0, gain * Math.sqrt(3 / fanIn));
  const linear = (name: string, fanIn: number, fanOut: number, gain = 1) => {
    matrix(name, fanIn, [fanIn, fanOut], gain);
    draw(`${name}.bias`, [fanOut], 0, 0.1);
  };
  const layerNorm = (name: string) => {
    draw(`${name}.weight`, [width], 1, 0.1);
    draw(`${name}.bias`, [width], 0, 0.1);
  };

  const patchLength = 3 * shape.patchSize ** 2;
  matrix("vision_model.embeddings.patch_embedding", patchLength, [
    width,
    3,
    shape.patchSize,
    shape.patchSize,
  ]);
  draw("vision_model.embeddings.class_embedding", [1, 1, width], 0, 0.5);
  draw("vision_model.embeddings.position_embedding.weight", [tokenCount(shape), width], 0, 0.5);
  layerNorm("vision_model.pre_layrnorm");
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = `vision_model.encoder.layers.${layer}`;
    layerNorm(`${name}.layer_norm1`);
    linear(`${name}.self_attn.q_proj`, width, width, ATTENTION_GAIN);
    linear(`${name}.self_attn.k_proj`, width, width);
    linear(`${name}.self_attn.v_proj`, width, width, ATTENTION_GAIN);
    linear(`${name}.self_attn.out_proj`, width, width);
    layerNorm(`${name}.layer_norm2`);
    linear(`${name}.mlp.fc1`, width, mlpWidth);
    linear(`${name}.mlp.fc2`, mlpWidth, width);
  }
  layerNorm("vision_model.post_layernorm");
  matrix("visual_projection", width, [width, shape.embeddingSize]);
  return weights;
}

/** Numbers of −1…1, multiples of 2⁻²³, from the shift register xorshift32 (Marsaglia 2003). */
function uniformSource(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >> 8) / 2 ** 23;
  };
}
