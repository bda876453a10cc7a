/**
 * Where each weight lies in memory, which follows from the tower's shape and the precision alone.
 *
 * @module
 */
import { type Address, NONE, PANEL } from "../kernels/kernels.ts";
import { isTextShape, type TowerShape } from "../tower.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** `fp32` computes as the model does; `int8` multiplies 8-bit integers, see `gemm_i8.c`. */
export type Precision = "fp32" | "int8";

/** Changes whenever the same tower would be packed otherwise. */
export const LAYOUT_VERSION = 1;

/** Rows of activations are multiples of this: `quantise` takes 16 numbers at a time. */
const DEPTH_STEP = 16;
/** How many inputs of each linear layer int8 leaves as they are, at most. */
export const MAX_OUTLIERS = 8;
const ALIGNMENT = 64;
/** Bytes of a float32 or int32. */
export const WORD = 4;

/** A matrix as the matrix products take it, with whatever they need beside it. */
export interface PackedLinear {
  /** Its place among the tower's, see {@link linearsOf}. */
  index: number;
  /** Numbers of an input, rounded up: those beyond have weights of zero. */
  depth: number;
  outputs: number;
  /** Panels of float32 or int8. */
  panels: Address;
  /** [outputs], or {@link NONE} */
  bias: Address;
  /** With int8. */
  quantised: Quantised | null;
}

/** What int8 needs beside the integers; `quantise_weights.ts` says how they are found. */
export interface Quantised {
  /** [depth], what inputs are multiplied with before they are quantised: 0 for outliers */
  balance: Address;
  /** [outputs] */
  scales: Address;
  /** [outputs], of the quantised weights over the depth */
  sums: Address;
  /** [1 + MAX_OUTLIERS], how many inputs are outliers, multiplied in float32, and which */
  outliers: Address;
  /** Panels of float32 for the outliers alone, as deep as if there were MAX_OUTLIERS. */
  outlierPanels: Address;
}

/** [width] each. */
export interface PackedNorm {
  gain: Address;
  bias: Address;
}

export interface PackedBlock {
  norm1: PackedNorm;
  /** `width` → query, key and value beside each other; query has the factor 1 / √(width / heads) in it. */
  attention: PackedLinear;
  output: PackedLinear;
  norm2: PackedNorm;
  up: PackedLinear;
  down: PackedLinear;
}

/** What a tower of pictures begins with. */
export interface PackedPatches {
  embedding: PackedLinear;
  normBefore: PackedNorm;
}

export interface PackedTower {
  /** null of a tower of words: its tokens are read from the file as they are needed. */
  patches: PackedPatches | null;
  /** [tokens][width], the class token added to the first */
  positions: Address;
  blocks: PackedBlock[];
  normAfter: PackedNorm;
  projection: PackedLinear;
  /** The first byte behind it. */
  end: Address;
}

/** Hands out addresses one after the other. */
export class Allotment {
  #end: Address;

  constructor(start: Address) {
    this.#end = start;
  }

  /** The first byte that is not handed out. */
  get end(): Address {
    return this.#end;
  }

  bytes(count: number): Address {
    const address = this.#end;
    this.#end += Math.ceil(count / ALIGNMENT) * ALIGNMENT;
    return address;
  }

  words(count: number): Address {
    return this.bytes(count * WORD);
  }
}

/** @throws {UnsupportedModel} where {@link requireTileable} does */
export function layOut(shape: TowerShape, precision: Precision, start: Address): PackedTower {
  requireTileable(shape);
  const allotment = new Allotment(start);
  const { width, mlp, tokens, embedding } = shape;
  const norm = (): PackedNorm => ({ gain: allotment.words(width), bias: allotment.words(width) });
  let index = 0;
  const linear = (inputs: number, outputs: number, hasBias = true): PackedLinear => {
    const depth = depthOf(inputs);
    const isInt8 = precision === "int8";
    return {
      index: index++,
      depth,
      outputs,
      panels: isInt8 ? allotment.bytes(depth * outputs) : allotment.words(depth * outputs),
      bias: hasBias ? allotment.words(outputs) : NONE,
      quantised: !isInt8 ? null : {
        balance: allotment.words(depth),
        scales: allotment.words(outputs),
        sums: allotment.words(outputs),
        outliers: allotment.words(1 + MAX_OUTLIERS),
        outlierPanels: allotment.words(MAX_OUTLIERS * outputs),
      },
    };
  };
  const patchEmbedding = isTextShape(shape) ? null : linear(3 * shape.patch ** 2, width, false);
  const positions = allotment.words(tokens * width);
  return {
    patches: patchEmbedding && { embedding: patchEmbedding, normBefore: norm() },
    positions,
    blocks: Array.from({ length: shape.layers }, () => ({
      norm1: norm(),
      attention: linear(width, 3 * width),
      output: linear(width, width),
      norm2: norm(),
      up: linear(width, mlp),
      down: linear(mlp, width),
    })),
    normAfter: norm(),
    projection: linear(width, embedding, false),
    end: allotment.end,
  };
}

/** All matrices that int8 quantises, in the order in which the tower uses them. */
export function linearsOf({ patches, blocks, projection }: PackedTower): PackedLinear[] {
  const ofBlocks = blocks.flatMap((
    { attention, output, up, down },
  ) => [attention, output, up, down]);
  return [...patches === null ? [] : [patches.embedding], ...ofBlocks, projection];
}

/** Numbers of a row that has so many inputs. */
export function depthOf(inputs: number): number {
  return Math.ceil(inputs / DEPTH_STEP) * DEPTH_STEP;
}

/** Some of the outputs alone, `count` from `first`, both multiples of a panel. */
export function outputsOf(linear: PackedLinear, first: number, count: number): PackedLinear {
  const { index, depth, panels, bias, quantised } = linear;
  const shift = (address: Address) => address + first * WORD;
  return {
    index,
    depth,
    outputs: count,
    panels: panels + first * depth * (quantised === null ? WORD : 1),
    bias: bias === NONE ? NONE : shift(bias),
    quantised: quantised && {
      balance: quantised.balance,
      scales: shift(quantised.scales),
      sums: shift(quantised.sums),
      outliers: quantised.outliers,
      outlierPanels: quantised.outlierPanels + first * MAX_OUTLIERS * WORD,
    },
  };
}

/** @throws {UnsupportedModel} where the shape can't be cut into the kernels' tiles */
export function requireTileable({ width, heads, mlp, embedding }: TowerShape): void {
  const rules: [name: string, value: number, step: number][] = [
    ["a width", width, DEPTH_STEP],
    ["an MLP width", mlp, DEPTH_STEP],
    ["a head's width", width / heads, PANEL],
    ["an embedding size", embedding, PANEL],
  ];
  for (const [name, value, step] of rules) {
    if (value % step === 0) continue;
    throw new UnsupportedModel(`${name} of ${value} can't be tiled: it is no multiple of ${step}`);
  }
}
