/**
 * A tower's forward pass, kernel by kernel, in the order and the words of the ViT paper (Dosovitskiy
 * et al. 2020, arXiv 2010.11929, eq. 1 to 4); `tower.ts` has it in formulas.
 *
 * @module
 */
import { type Address, type Kernels, NONE, PANEL } from "./kernels/kernels.ts";
import {
  outputsOf,
  type PackedBlock,
  type PackedNorm,
  type PackedTower,
  WORD,
} from "./packing/layout.ts";
import type { Multiply } from "./products.ts";
import type { Scratch } from "./scratch.ts";
import type { ImageTowerShape, TowerShape } from "./tower.ts";

export interface Forward<Shape extends TowerShape = TowerShape> {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  shape: Shape;
  weights: PackedTower;
  scratch: Scratch;
  multiply: Multiply;
}

/** What lies in the stream, one behind the other: pictures or texts as tokens. */
interface Sequences {
  count: number;
  /** Of each. */
  tokens: number;
  /** Which of its tokens the embedding is made of. */
  pooled: number;
  /** Whether a token looks only at itself and those before it. */
  isCausal: boolean;
}

/** Turns the pictures in `scratch.pixels` into vectors in `scratch.embeddings`. */
export function forwardPictures(pass: Forward<ImageTowerShape>, batch: number): void {
  const pictures = { count: batch, tokens: pass.shape.tokens, pooled: 0, isCausal: false };
  embedPatches(pass, batch);
  normalise(
    pass,
    pass.weights.patches!.normBefore,
    everyToken(pass, pictures),
    pass.scratch.stream,
  );
  transform(pass, pictures);
}

/**
 * Turns a text into a vector in `scratch.embeddings`.
 *
 * @param tokens [tokens][width], embeddings of the text's tokens, at least one
 */
export function forwardText(pass: Forward, tokens: Float32Array): void {
  const { memory, shape: { width }, weights, scratch } = pass;
  const count = tokens.length / width;
  const stream = new Float32Array(memory.buffer, scratch.stream, tokens.length);
  const positions = new Float32Array(memory.buffer, weights.positions, tokens.length);
  for (let i = 0; i < tokens.length; i++) stream[i] = tokens[i]! + positions[i]!;
  transform(pass, { count: 1, tokens: count, pooled: count - 1, isCausal: true });
}

/** From the first block to the embeddings. */
function transform(pass: Forward, sequences: Sequences): void {
  const { weights, scratch, multiply, shape } = pass;
  const all = everyToken(pass, sequences);
  for (const block of weights.blocks.slice(0, -1)) {
    attend(pass, block, sequences, all);
    mlp(pass, block, all);
  }
  // Of the last block nothing is wanted but what becomes of the tokens that are pooled.
  const pooled = pooledTokens(pass, sequences);
  const last = weights.blocks.at(-1)!;
  attend(pass, last, sequences, pooled);
  mlp(pass, last, pooled);
  normalise(pass, weights.normAfter, pooled, scratch.pooled);
  multiply(
    weights.projection,
    scratch.pooled,
    sequences.count,
    scratch.embeddings,
    shape.embedding,
  );
}

/** Rows of the stream. */
interface Tokens {
  /** The first of them. */
  at: Address;
  /** Of each sequence. */
  perSequence: number;
  count: number;
  /** Distance of two of them, in numbers. */
  stride: number;
}

function everyToken(
  { shape: { width }, scratch }: Forward,
  { count, tokens }: Sequences,
): Tokens {
  return { at: scratch.stream, perSequence: tokens, count: count * tokens, stride: width };
}

function pooledTokens(
  { shape: { width }, scratch }: Forward,
  { count, tokens, pooled }: Sequences,
): Tokens {
  const at = scratch.stream + pooled * width * WORD;
  return { at, perSequence: 1, count, stride: tokens * width };
}

/** stream ← [class token; patches · patchEmbedding] + positions (eq. 1) */
function embedPatches(
  { kernels, memory, shape, weights, scratch, multiply }: Forward<ImageTowerShape>,
  batch: number,
) {
  const { imageSize, patch, width, tokens } = shape;
  const { embedding } = weights.patches!;
  const positions = new Float32Array(memory.buffer, weights.positions, tokens * width);
  for (let picture = 0; picture < batch; picture++) {
    const pixels = scratch.pixels + picture * 3 * imageSize ** 2 * WORD;
    const stream = scratch.stream + picture * tokens * width * WORD;
    new Float32Array(memory.buffer, stream, tokens * width).set(positions);
    kernels.patches(pixels, scratch.wide, imageSize, patch, embedding.depth);
    multiply(embedding, scratch.wide, tokens - 1, stream + width * WORD, width, true);
  }
}

/**
 * stream ← stream + attention(norm1(stream)) (eq. 2), for some tokens: every one, or the one of each
 * sequence that is pooled, which looks at all others.
 */
function attend(pass: Forward, block: PackedBlock, sequences: Sequences, tokens: Tokens): void {
  const { shape: { width }, scratch, multiply } = pass;
  const { normed, pooled, wide } = scratch;
  const rows = sequences.count * sequences.tokens;
  normalise(pass, block.norm1, everyToken(pass, sequences), normed);
  if (tokens.count === rows) {
    multiply(block.attention, normed, rows, wide, 3 * width);
  } else {
    const keysAndValues = outputsOf(block.attention, width, 2 * width);
    multiply(keysAndValues, normed, rows, wide + width * WORD, 3 * width);
    const queries = outputsOf(block.attention, 0, width);
    normalise(pass, block.norm1, tokens, pooled);
    // Whichever token it is of, a sequence's only query lies where its first one would.
    multiply(queries, pooled, tokens.count, wide, sequences.tokens * 3 * width);
  }
  mixValues(pass, sequences, tokens.perSequence);
  multiply(block.output, normed, tokens.count, tokens.at, tokens.stride, true);
}

/**
 * normed ← softmax(q · kᵀ) · v, head by head, for the first `queries` queries of each sequence
 * (Vaswani et al. 2017, arXiv 1706.03762, eq. 1; its 1 / √d is in the weights that make q).
 */
function mixValues(
  { kernels, shape, scratch }: Forward,
  { count, tokens, isCausal }: Sequences,
  queries: number,
): void {
  const { width, heads } = shape;
  const { keys, values, scores, scoreStride } = scratch;
  const headWidth = width / heads;
  const stride = 3 * width;
  const columns = Math.ceil(tokens / PANEL) * PANEL;
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
  for (let sequence = 0; sequence < count; sequence++) {
    for (let head = 0; head < heads; head++) {
      const query = scratch.wide + (sequence * tokens * stride + head * headWidth) * WORD;
      const key = query + width * WORD;
      const value = key + width * WORD;
      const mixed = scratch.normed + (sequence * queries * width + head * headWidth) * WORD;
      kernels.pack_keys(key, stride, keys, tokens, headWidth);
      kernels.pack_values(value, stride, values, tokens, headWidth);
      multiply(query, stride, keys, scores, scoreStride, queries, columns, headWidth);
      // The token that is pooled looks at all: in a text it is the last.
      if (isCausal && queries === tokens) kernels.softmax_causal(scores, scoreStride, queries);
      else kernels.softmax(scores, scoreStride, queries, tokens);
      multiply(scores, scoreStride, values, mixed, width, queries, headWidth, tokens);
    }
  }
}

/** stream ← stream + activation(norm2(stream) · up) · down (eq. 3), for some tokens */
function mlp(pass: Forward, { norm2, up, down }: PackedBlock, tokens: Tokens): void {
  const { kernels, shape, scratch: { normed, wide }, multiply } = pass;
  normalise(pass, norm2, tokens, normed);
  multiply(up, normed, tokens.count, wide, shape.mlp);
  kernels[shape.activation](wide, tokens.count * shape.mlp);
  multiply(down, wide, tokens.count, tokens.at, tokens.stride, true);
}

/** output ← norm(tokens of the stream), one after the other */
function normalise(
  { kernels, shape: { width, epsilon } }: Forward,
  { gain, bias }: PackedNorm,
  tokens: Tokens,
  output: Address,
): void {
  kernels.layer_norm(tokens.at, tokens.stride, gain, bias, output, tokens.count, width, epsilon);
}
