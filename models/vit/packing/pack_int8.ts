/**
 * Packs a tower as int8: looks at what its activations are like, quantises, and holds the outcome
 * against fp32.
 *
 * @module
 */
import { encoderWith, openEncoder } from "../encoder.ts";
import { type Multiply, multiplyF32 } from "../products.ts";
import { SlotKeeper } from "../slots.ts";
import type { ImageTower } from "../tower.ts";
import { allotWeights, type Weights, WEIGHTS_START } from "../weights.ts";
import { layOut, linearsOf } from "./layout.ts";
import { packTower } from "./pack_tower.ts";
import { type Proof, prove } from "./proof.ts";

/**
 * @param pictures [n][3][imageSize][imageSize], normalised as the model wants them: what activations
 *   are like is learnt from them, and how good int8 is
 */
export async function packInt8(
  tower: ImageTower,
  pictures: Float32Array[],
): Promise<{ weights: Weights; proof: Proof }> {
  const { shape } = tower;
  const exact = await allotWeights(shape, "fp32", {});
  const layout = layOut(shape, "fp32", WEIGHTS_START);
  packTower(tower, layout, exact.memory);
  const ranges = linearsOf(layout).map(({ depth }) => new Float32Array(depth));
  const observing = encoderWith(
    exact,
    new SlotKeeper(exact).take(),
    (weights, kernels) => observed(multiplyF32(kernels), weights.memory, ranges),
  );
  const embeddings = pictures.map((picture) => observing.run(picture));

  const weights = await allotWeights(shape, "int8", {});
  packTower(tower, layOut(shape, "int8", WEIGHTS_START), weights.memory, ranges);
  const quantised = openEncoder(weights, new SlotKeeper(weights).take());
  return { weights, proof: prove(embeddings, pictures.map((picture) => quantised.run(picture))) };
}

/** Notes the largest magnitude of each number of a row, for each linear layer. */
function observed(
  multiply: Multiply,
  memory: WebAssembly.Memory,
  ranges: Float32Array[],
): Multiply {
  return (linear, input, rows, ...rest) => {
    const { index, depth } = linear;
    const range = ranges[index]!;
    const numbers = new Float32Array(memory.buffer, input, rows * depth);
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < depth; k++) {
        const magnitude = Math.abs(numbers[row * depth + k]!);
        if (magnitude > range[k]!) range[k] = magnitude;
      }
    }
    multiply(linear, input, rows, ...rest);
  };
}
