/**
 * Matrices as panels: 8 columns at a time, which is how the matrix products read them.
 *
 * @module
 */
import { PANEL } from "../kernels/kernels.ts";
import type { Projection } from "../tower.ts";

/** Inputs that a dot product of `gemm_i8` takes at a time. */
const STEP = 4;

/** @param panels [outputs / 8][depth][8]; its rows from `inputs` on stay as they are, zeros */
export function writeFloatPanels(
  { inputs, outputs, weight }: Projection,
  depth: number,
  panels: Float32Array,
): void {
  for (let first = 0; first < outputs; first += PANEL) {
    let at = first * depth;
    for (let k = 0; k < inputs; k++) {
      let from = k * outputs + first;
      for (const end = at + PANEL; at < end; at++, from++) panels[at] = weight[from]!;
    }
  }
}

/**
 * @param weights [inputs][outputs], of −127…127
 * @param panels [outputs / 8][depth / 4][8][4]; its rows from `inputs` on stay as they are, zeros
 */
export function writeIntegerPanels(
  weights: Int8Array,
  outputs: number,
  depth: number,
  panels: Int8Array,
): void {
  const inputs = weights.length / outputs;
  for (let k = 0; k < inputs; k++) {
    const row = (k - k % STEP) * PANEL + k % STEP;
    for (let n = 0; n < outputs; n++) {
      panels[(n - n % PANEL) * depth + row + (n % PANEL) * STEP] = weights[k * outputs + n]!;
    }
  }
}
