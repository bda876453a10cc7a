/**
 * Pictures in, vectors out: the tower in one thread.
 *
 * @module
 */
import { instantiate, type Kernels } from "./kernels/kernels.ts";
import { forward } from "./forward.ts";
import { layOut } from "./packing/layout.ts";
import { type Multiply, multiplyF32, multiplyI8 } from "./products.ts";
import { layOutScratch, type Scratch } from "./scratch.ts";
import { addressOf, computeIn, type Slot } from "./slots.ts";
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

/**
 * Opens an encoder in the thread it is called in.
 *
 * @param slot that nobody else computes in
 */
export function openEncoder(weights: Weights, slot: Slot): Encoder {
  return encoderWith(weights, slot, multiplyOf);
}

/** How to multiply in the weights' precision. */
export function multiplyOf(weights: Weights, kernels: Kernels, scratch: Scratch): Multiply {
  return weights.precision === "fp32"
    ? multiplyF32(kernels)
    : multiplyI8(kernels, scratch.quantised, weights.levels, weights.memory);
}

/** An encoder that multiplies in a way of its own. */
export function encoderWith(
  weights: Weights,
  slot: Slot,
  multiplyWith: (weights: Weights, kernels: Kernels, scratch: Scratch) => Multiply,
): Encoder {
  const { module, memory, shape, precision, maxBatch } = weights;
  const kernels = instantiate(module, memory);
  const scratch = layOutScratch(shape, maxBatch, addressOf(weights, slot));
  const pass = {
    kernels,
    memory,
    shape,
    weights: layOut(shape, precision, WEIGHTS_START),
    scratch,
    multiply: multiplyWith(weights, kernels, scratch),
  };
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
        forward(pass, batch);
        return new Float32Array(memory.buffer, scratch.embeddings, batch * shape.embedding).slice();
      });
    },
  };
}
