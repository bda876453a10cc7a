/**
 * A tower's graph with its products in 8-bit integers, as `quantize_dynamic` of onnxruntime leaves
 * them with its defaults: the usual way to a fast tower on onnxruntime.
 *
 * Weights are int8 with one scale for the whole matrix (uint8, or a scale for each column, are as
 * fast in onnxruntime-web); activations uint8, with a scale and zero found as they come, for all
 * tokens together (ONNX's DynamicQuantizeLinear). The patches' filters stay float32.
 *
 * @module
 */
import { FLOAT } from "./onnx.ts";
import { Graph } from "./tower_graph.ts";

/** The largest integer of a weight; −128 is not used. */
const LEVELS = 127;

/** Activations as DynamicQuantizeLinear gives them, by their names. */
interface Quantised {
  integers: string;
  scale: string;
  zero: string;
}

export class QuantisedGraph extends Graph {
  /** By what was quantised: query, key and value share their input. */
  readonly #quantised = new Map<string, Quantised>();

  override product(input: string, weight: string, output?: string): string {
    const { integers, scale, zero } = this.#quantise(input);
    this.#quantiseWeight(weight);
    const sums = this.add("MatMulInteger", [
      integers,
      `${weight}_quantized`,
      zero,
      `${weight}_zero_point`,
    ]);
    const floats = this.add("Cast", [sums], { to: { int: FLOAT } });
    const scales = this.add("Mul", [scale, `${weight}_scale`]);
    return this.add("Mul", [floats, scales], {}, output);
  }

  #quantise(input: string): Quantised {
    const known = this.#quantised.get(input);
    if (known !== undefined) return known;
    const integers = `${input}_quantized`;
    const quantised = { integers, scale: `${input}_scale`, zero: `${input}_zero_point` };
    const outputs = [quantised.integers, quantised.scale, quantised.zero];
    this.nodes.push({ op: "DynamicQuantizeLinear", inputs: [input], outputs });
    this.#quantised.set(input, quantised);
    return quantised;
  }

  /** Puts integers in a weight's place. */
  #quantiseWeight(name: string): void {
    const { dims, data } = this.initializers.get(name)!;
    const weights = data as Float32Array;
    let largest = 0;
    for (const weight of weights) largest = Math.max(largest, Math.abs(weight));
    const scale = Float32Array.of(largest / LEVELS);
    const integers = new Int8Array(weights.length);
    for (let i = 0; i < weights.length; i++) integers[i] = Math.round(weights[i]! / scale[0]!);
    this.initializers.delete(name);
    this.initializers.set(`${name}_quantized`, { dims, data: integers });
    this.initializers.set(`${name}_scale`, { dims: [], data: scale });
    this.initializers.set(`${name}_zero_point`, { dims: [], data: Int8Array.of(0) });
  }
}
