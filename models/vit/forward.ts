/**
 * The tower's forward pass, kernel by kernel, in the order and the words of the ViT paper
 * (Dosovitskiy et al. 2020, arXiv 2010.11929, eq. 1 to 4); `tower.ts` has it in formulas.
 *
 * @module
 */
import { type Address, type Kernels, NONE } from "./kernels/kernels.ts";
import {
  outputsOf,
  type PackedBlock,
  type PackedNorm,
  type PackedTower,
  WORD,
} from "./packing/layout.ts";
import type { Multiply } from "./products.ts";
import type { Scratch } from "./scratch.ts";
import type { TowerShape } from "./tower.ts";

export interface Forward {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  shape: TowerShape;
  weights: PackedTower;
  scratch: Scratch;
  multiply: Multiply;
}

/** Turns the pictures in `scratch.pixels` into vectors in `scratch.embeddings`. */
export function forward(pass: Forward, batch: number): void {
  const { weights, scratch, multiply, shape } = pass;
  embedPatches(pass, batch);
  normalise(pass, weights.normBefore, everyToken(pass, batch), scratch.stream);
  for (const block of weights.blocks.slice(0, -1)) {
    attend(pass, block, batch, everyToken(pass, batch));
    mlp(pass, block, everyToken(pass, batch));
  }
  // Of the last block nothing is wanted but what becomes of the class tokens.
  const last = weights.blocks.at(-1)!;
  attend(pass, last, batch, classTokens(pass, batch));
  mlp(pass, last, classTokens(pass, batch));
  normalise(pass, weights.normAfter, classTokens(pass, batch), scratch.classTokens);
  multiply(weights.projection, scratch.classTokens, batch, scratch.embeddings, shape.embedding);
}

/** Rows of the stream. */
interface Tokens {
  /** Of each picture. */
  perPicture: number;
  count: number;
  /** Distance of two of them, in numbers. */
  stride: number;
}

function everyToken({ shape: { tokens, width } }: Forward, batch: number): Tokens {
  return { perPicture: tokens, count: batch * tokens, stride: width };
}

function classTokens({ shape: { tokens, width } }: Forward, batch: number): Tokens {
  return { perPicture: 1, count: batch, stride: tokens * width };
}

/** stream ← [class token; patches · patchEmbedding] + positions (eq. 1) */
function embedPatches(
  { kernels, memory, shape, weights, scratch, multiply }: Forward,
  batch: number,
) {
  const { imageSize, patch, width, tokens } = shape;
  const positions = new Float32Array(memory.buffer, weights.positions, tokens * width);
  for (let picture = 0; picture < batch; picture++) {
    const pixels = scratch.pixels + picture * 3 * imageSize ** 2 * WORD;
    const stream = scratch.stream + picture * tokens * width * WORD;
    new Float32Array(memory.buffer, stream, tokens * width).set(positions);
    kernels.patches(pixels, scratch.wide, imageSize, patch, weights.patchEmbedding.depth);
    multiply(weights.patchEmbedding, scratch.wide, tokens - 1, stream + width * WORD, width, true);
  }
}

/** stream ← stream + attention(norm1(stream)) (eq. 2), for some tokens, which look at all of their picture */
function attend(pass: Forward, block: PackedBlock, batch: number, tokens: Tokens): void {
  const { shape: { width, tokens: all }, scratch, multiply } = pass;
  const { stream, normed, classTokens: normedClassTokens, wide } = scratch;
  normalise(pass, block.norm1, everyToken(pass, batch), normed);
  if (tokens.perPicture === all) {
    multiply(block.attention, normed, batch * all, wide, 3 * width);
  } else {
    const keysAndValues = outputsOf(block.attention, width, 2 * width);
    multiply(keysAndValues, normed, batch * all, wide + width * WORD, 3 * width);
    const queries = outputsOf(block.attention, 0, width);
    normalise(pass, block.norm1, tokens, normedClassTokens);
    multiply(queries, normedClassTokens, tokens.count, wide, all * 3 * width);
  }
  mixValues(pass, batch, tokens.perPicture);
  multiply(block.output, normed, tokens.count, stream, tokens.stride, true);
}

/**
 * normed ← softmax(q · kᵀ) · v, head by head, for the first `queries` tokens of each picture
 * (Vaswani et al. 2017, arXiv 1706.03762, eq. 1; its 1 / √d is in the weights that make q).
 */
function mixValues({ kernels, shape, scratch }: Forward, batch: number, queries: number): void {
  const { width, heads, tokens } = shape;
  const { keys, values, scores, scoreStride } = scratch;
  const headWidth = width / heads;
  const stride = 3 * width;
  const multiply = (
    a: Address,
    aStride: number,
    panels: Address,
    c: Address,
    cStride: number,
    rows: number,
    columns: number,
    depth: number,
  ) => kernels.gemm_f32(a, aStride, panels, NONE, c, cStride, rows, columns, depth, false);
  for (let picture = 0; picture < batch; picture++) {
    for (let head = 0; head < heads; head++) {
      const query = scratch.wide + (picture * tokens * stride + head * headWidth) * WORD;
      const key = query + width * WORD;
      const value = key + width * WORD;
      const mixed = scratch.normed + (picture * queries * width + head * headWidth) * WORD;
      kernels.pack_keys(key, stride, keys, tokens, headWidth);
      kernels.pack_values(value, stride, values, tokens, headWidth);
      multiply(query, stride, keys, scores, scoreStride, queries, scoreStride, headWidth);
      kernels.softmax(scores, scoreStride, queries, tokens);
      multiply(scores, scoreStride, values, mixed, width, queries, headWidth, tokens);
    }
  }
}

/** stream ← stream + activation(norm2(stream) · up) · down (eq. 3), for some tokens */
function mlp(pass: Forward, { norm2, up, down }: PackedBlock, tokens: Tokens): void {
  const { kernels, shape, scratch: { stream, normed, wide }, multiply } = pass;
  normalise(pass, norm2, tokens, normed);
  multiply(up, normed, tokens.count, wide, shape.mlp);
  kernels[shape.activation](wide, tokens.count * shape.mlp);
  multiply(down, wide, tokens.count, stream, tokens.stride, true);
}

/** output ← norm(tokens of the stream), one after the other */
function normalise(
  { kernels, shape: { width, epsilon }, scratch }: Forward,
  { gain, bias }: PackedNorm,
  tokens: Tokens,
  output: Address,
): void {
  const { stream } = scratch;
  kernels.layer_norm(stream, tokens.stride, gain, bias, output, tokens.count, width, epsilon);
}
