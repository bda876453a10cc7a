/**
 * Pictures in, vectors out; or texts in, vectors out: a tower in one thread.
 *
 * @module
 */
import { instantiate, type Kernels } from "./kernels/kernels.ts";
import { type Forward, forwardPictures, forwardText } from "./forward.ts";
import { layOut } from "./packing/layout.ts";
import { type Multiply, multiplyF32, multiplyI8 } from "./products.ts";
import { layOutScratch, type Scratch } from "./scratch.ts";
import { addressOf, computeIn, type Slot } from "./slots.ts";
import type { TokenTable } from "./token_table.ts";
import type { TextTowerShape, TowerShape } from "./tower.ts";
import { type Weights, WEIGHTS_START } from "./weights.ts";

export interface Encoder {
  /**
   * Embeds pictures; the same picture gets the same numbers, bit for bit, whatever the others are.
   *
   * @param pixels [batch][3][imageSize][imageSize], normalised as the model wants them
   * @param batch 1 to the weights' `maxBatch`; 1 unless said
   * @returns [batch][embedding], not normalised
   * @throws {RangeError} where the batch or the number of pixels is another
   * @throws {Error} where the slot was taken back
   */
  run(pixels: Float32Array, batch?: number): Float32Array<ArrayBuffer>;
}

export interface TextEncoder {
  /**
   * Embeds a text; what comes behind a token changes nothing of what the tower makes of it.
   *
   * @param tokens the numbers of its tokens, 1 to the tower's `tokens`, and no padding: the embedding
   *   is made of the last one
   * @returns [embedding], not normalised
   * @throws {RangeError} where there are more tokens, or one that there is not
   * @throws {Error} where the slot was taken back, or the tokens' embeddings can't be read
   */
  run(tokens: readonly number[]): Float32Array<ArrayBuffer>;
}

/**
 * Opens an encoder of pictures in the thread it is called in.
 *
 * @param slot that nobody else computes in
 */
export function openEncoder(weights: Weights, slot: Slot): Encoder {
  return encoderWith(weights, slot, multiplyOf);
}

/** How to multiply in the weights' precision. */
export function multiplyOf(
  weights: Weights<TowerShape>,
  kernels: Kernels,
  scratch: Scratch,
): Multiply {
  return weights.precision === "fp32"
    ? multiplyF32(kernels)
    : multiplyI8(kernels, scratch.quantised, weights.levels, weights.memory);
}

/**
 * Opens an encoder of texts in the thread it is called in.
 *
 * @param slot that nobody else computes in
 * @param table of the same model
 */
export function openTextEncoder(
  weights: Weights<TextTowerShape>,
  slot: Slot,
  table: TokenTable,
): TextEncoder {
  return textEncoderWith(weights, slot, table, multiplyOf);
}

type MultiplyWith = (
  weights: Weights<TowerShape>,
  kernels: Kernels,
  scratch: Scratch,
) => Multiply;

function passWith<Shape extends TowerShape>(
  weights: Weights<Shape>,
  slot: Slot,
  multiplyWith: MultiplyWith,
): Forward<Shape> {
  const { module, memory, shape, precision, maxBatch } = weights;
  const kernels = instantiate(module, memory);
  const scratch = layOutScratch(shape, maxBatch, addressOf(weights, slot));
  return {
    kernels,
    memory,
    shape,
    weights: layOut(shape, precision, WEIGHTS_START),
    scratch,
    multiply: multiplyWith(weights, kernels, scratch),
  };
}

/** An encoder of texts that multiplies in a way of its own. */
export function textEncoderWith(
  weights: Weights<TextTowerShape>,
  slot: Slot,
  table: TokenTable,
  multiplyWith: MultiplyWith,
): TextEncoder {
  const { memory, shape } = weights;
  const pass = passWith(weights, slot, multiplyWith);
  return {
    run(tokens) {
      if (tokens.length < 1 || tokens.length > shape.tokens) {
        throw new RangeError(
          `Cannot embed ${tokens.length} tokens: 1 to ${shape.tokens} are allowed`,
        );
      }
      const rows = table.rows(tokens);
      return computeIn(weights, slot, () => {
        forwardText(pass, rows);
        return new Float32Array(memory.buffer, pass.scratch.embeddings, shape.embedding).slice();
      });
    },
  };
}

/** An encoder of pictures that multiplies in a way of its own. */
export function encoderWith(
  weights: Weights,
  slot: Slot,
  multiplyWith: MultiplyWith,
): Encoder {
  const { memory, shape, maxBatch } = weights;
  const pass = passWith(weights, slot, multiplyWith);
  const { scratch } = pass;
  const pixelsEach = 3 * shape.imageSize ** 2;
  return {
    run(pixels, batch = 1) {
      if (!Number.isInteger(batch) || batch < 1 || batch > maxBatch) {
        throw new RangeError(
          `Cannot embed ${batch} pictures at a time: 1 to ${maxBatch} are allowed`,
        );
      }
      if (pixels.length !== batch * pixelsEach) {
        throw new RangeError(
          `Cannot embed ${batch} × ${pixelsEach} numbers: there are ${pixels.length}`,
        );
      }
      return computeIn(weights, slot, () => {
        new Float32Array(memory.buffer, scratch.pixels, pixels.length).set(pixels);
        forwardPictures(pass, batch);
        return new Float32Array(memory.buffer, scratch.embeddings, batch * shape.embedding).slice();
      });
    },
  };
}
