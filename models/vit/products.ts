/**
 * A layer's matrix product in each precision.
 *
 * @module
 */
import { type Address, type Kernels, type Levels, NONE } from "./kernels/kernels.ts";
import { MAX_OUTLIERS, type PackedLinear, WORD } from "./packing/layout.ts";
import type { QuantisedRows } from "./scratch.ts";

/**
 * Output rows ← input rows · weights + bias.
 *
 * @param input [rows][linear.depth]
 * @param outputStride distance of two output rows, in numbers
 * @param add to the output instead of overwriting it: a residual connection
 */
export type Multiply = (
  linear: PackedLinear,
  input: Address,
  rows: number,
  output: Address,
  outputStride: number,
  add?: boolean,
) => void;

export function multiplyF32({ gemm_f32 }: Kernels): Multiply {
  return ({ depth, outputs, panels, bias }, input, rows, output, outputStride, add = false) =>
    gemm_f32(input, depth, panels, bias, output, outputStride, rows, outputs, depth, add);
}

/** Each row is quantised on its own, so that pictures of a batch don't see each other. */
export function multiplyI8(
  { quantise, gemm_i8, gather, gemm_f32 }: Kernels,
  { rows: q, scales: rowScales, zeros, outliers: outlierRows }: QuantisedRows,
  levels: Levels,
  memory: WebAssembly.Memory,
): Multiply {
  const words = new Int32Array(memory.buffer);
  return (linear, input, rows, output, outputStride, add = false) => {
    const { depth, outputs, panels, bias } = linear;
    const { balance, scales, sums, outliers, outlierPanels } = linear.quantised!;
    quantise(input, balance, q, rowScales, zeros, rows, depth, levels);
    gemm_i8(
      q,
      rowScales,
      zeros,
      panels,
      scales,
      sums,
      bias,
      output,
      outputStride,
      rows,
      outputs,
      depth,
      add,
    );
    const outlierCount = words[outliers / WORD];
    if (outlierCount === 0) return;
    gather(input, depth, outliers + WORD, MAX_OUTLIERS, outlierRows, rows);
    gemm_f32(
      outlierRows,
      MAX_OUTLIERS,
      outlierPanels,
      NONE,
      output,
      outputStride,
      rows,
      outputs,
      MAX_OUTLIERS,
      true,
    );
  };
}
