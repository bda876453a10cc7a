/**
 * Weights as 8-bit integers, one scale an output.
 *
 * A row of activations has one scale as well, so an input much larger than the others would leave
 * these few steps: the outliers of transformers, which ruin int8 that ignores them. Two things are
 * done about them.
 *
 * [note: balance] Activations of input k are divided by a factor and its weights multiplied with it,
 * √(range of the activations / range of the weights), after which both reach as far: √(product of
 * the ranges). This is SmoothQuant (Xiao et al. 2023, arXiv 2211.10438, eq. 4 with α = 0.5).
 *
 * [note: outliers] Inputs that reach much further than others even so, the few furthest of them, are
 * left out and multiplied in float32, as in LLM.int8() (Dettmers et al. 2022, arXiv 2208.07339,
 * section 3.2).
 *
 * @module
 */
import type { Projection } from "../tower.ts";
import { MAX_OUTLIERS } from "./layout.ts";

/** How much further than half of the inputs an outlier reaches, at least. */
const OUTLIER_REACH = 1.5;

export interface QuantisedWeights {
  /** [inputs][outputs], −127…127: weight[k][n] / balance[k] ≈ integers[k][n] · scales[n]; outliers' are 0 */
  integers: Int8Array;
  /** [outputs] */
  scales: Float32Array;
  /** [outputs], of the integers over the inputs */
  sums: Int32Array;
  /** [inputs], what activations are multiplied with; outliers' are 0 */
  balance: Float32Array;
  /** Which inputs are outliers, in rising order; at most MAX_OUTLIERS. */
  outliers: Int32Array;
}

/** @param ranges largest magnitude seen of each input; [inputs] or more */
export function quantiseWeights(
  { inputs, outputs, weight }: Projection,
  ranges: Float32Array,
): QuantisedWeights {
  const rowOf = (k: number) => weight.subarray(k * outputs, (k + 1) * outputs);
  const weightRanges = Float32Array.from({ length: inputs }, (_, k) => largestMagnitude(rowOf(k)));
  const reaches = weightRanges.map((range, k) => Math.sqrt(range * ranges[k]!));
  const outliers = outliersAmong(reaches);
  // Where an input is always 0, or not used, any factor will do.
  const factors = weightRanges.map((range, k) =>
    reaches[k]! > 0 ? Math.sqrt(ranges[k]! / range) : 1
  );
  outliers.forEach((k) => factors[k] = 0);

  const largest = new Float32Array(outputs);
  for (let k = 0; k < inputs; k++) {
    const row = rowOf(k);
    const factor = factors[k]!;
    for (let n = 0; n < outputs; n++) {
      const magnitude = Math.abs(row[n]! * factor);
      if (magnitude > largest[n]!) largest[n] = magnitude;
    }
  }
  const scales = largest.map((magnitude) => magnitude > 0 ? magnitude / 127 : 1);
  const steps = scales.map((scale) => 1 / scale);
  const integers = new Int8Array(inputs * outputs);
  const sums = new Int32Array(outputs);
  for (let k = 0, at = 0; k < inputs; k++) {
    const factor = factors[k]!;
    for (let n = 0; n < outputs; n++, at++) {
      const integer = Math.round(weight[at]! * factor * steps[n]!);
      integers[at] = integer;
      sums[n]! += integer;
    }
  }
  const balance = factors.map((factor) => factor > 0 ? 1 / factor : 0);
  return { integers, scales, sums, balance, outliers };
}

function largestMagnitude(numbers: Float32Array): number {
  let largest = 0;
  for (const number of numbers) largest = Math.max(largest, Math.abs(number));
  return largest;
}

function outliersAmong(reaches: Float32Array): Int32Array {
  const median = reaches.toSorted()[reaches.length >> 1]!;
  const furthest = Int32Array.from(reaches.keys()).sort((a, b) => reaches[b]! - reaches[a]!);
  const few = furthest.subarray(0, MAX_OUTLIERS);
  return few.filter((k) => reaches[k]! > OUTLIER_REACH * median).sort();
}
