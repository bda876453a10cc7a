/**
 * A model as an ONNX file has it (https://github.com/onnx/onnx/blob/v1.15.0/docs/IR.md), as far as
 * reading a network's structure needs it.
 *
 * @module
 */
export interface OnnxModel {
  /** The version of the operator set of each domain; the default domain is "". */
  opsets: Map<string, number>;
  /** In an order in which each finds its inputs made. */
  nodes: OnnxNode[];
  /** Constants, by the names that nodes use. */
  initializers: Map<string, OnnxTensor>;
  /** What is to be fed: values without an initializer. */
  inputs: OnnxPort[];
  /** Names of values. */
  outputs: string[];
}

export interface OnnxNode {
  /** The operator. */
  op: string;
  /** "" for the default one. */
  domain: string;
  /** Names of values; "" for an optional one left out. */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
}

/** A number, the letters of a string, a list of integers, a tensor; `null` for any other kind. */
export type OnnxAttribute = number | string | number[] | OnnxTensor | null;

export interface OnnxTensor {
  /** None for a scalar. */
  dims: number[];
  /** As ONNX calls it: "FLOAT", "INT64", … */
  type: string;
  /**
   * Row by row. Integers are exact up to 2⁵³. `null` where the type is none of FLOAT, DOUBLE, INT32, INT64
   * and BOOL.
   */
  data: Float32Array | Float64Array | null;
}

export interface OnnxPort {
  name: string;
  /** `null` for a size that is left open. */
  dims: (number | null)[];
}
