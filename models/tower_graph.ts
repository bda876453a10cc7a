/**
 * The graph of a tower as it grows, node by node, with its weights.
 *
 * @module
 */
import type { Weights } from "./clip_weights.ts";
import type { Attribute, Node, Tensor } from "./onnx.ts";

const LAYER_NORM_EPSILON = 1e-5;

export class Graph {
  readonly nodes: Node[] = [];
  readonly initializers: Map<string, Tensor>;

  constructor(weights: Weights) {
    this.initializers = new Map(weights);
  }

  /** @returns the output's name */
  add(
    op: string,
    inputs: string[],
    attributes: Record<string, Attribute> = {},
    output = `${op}_${this.nodes.length}`,
  ): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  integers(name: string, dims: number[], values: number[]): string {
    this.initializers.set(name, { dims, data: BigInt64Array.from(values, BigInt) });
    return name;
  }

  /** A single float. */
  scalar(name: string, value: number): string {
    this.initializers.set(name, { dims: [], data: Float32Array.of(value) });
    return name;
  }

  layerNorm(name: string, input: string): string {
    return this.add("LayerNormalization", [input, `${name}.weight`, `${name}.bias`], {
      axis: { int: -1 },
      epsilon: { float: LAYER_NORM_EPSILON },
    });
  }

  linear(name: string, input: string): string {
    const product = this.product(input, `${name}.weight`);
    return this.add("Add", [product, `${name}.bias`]);
  }

  /** input · weight, for a weight [in, out]. */
  product(input: string, weight: string, output?: string): string {
    return this.add("MatMul", [input, weight], {}, output);
  }

  /** @param shape 0 keeps a dimension, −1 takes what is left */
  reshape(input: string, shape: number[]): string {
    const name = this.integers(`shape_${shape.join("_")}`, [shape.length], shape);
    return this.add("Reshape", [input, name]);
  }

  transpose(input: string, perm: number[]): string {
    return this.add("Transpose", [input], { perm: { ints: perm } });
  }
}
