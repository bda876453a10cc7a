/**
 * A node of a graph about to be interpreted: its operator's inputs and attributes, as the operator asks
 * for them.
 *
 * @module
 */
import type { OnnxAttribute, OnnxNode } from "../onnx/model.ts";
import { formatShape } from "./axes.ts";
import { Constant } from "./constant.ts";
import { SymbolicTensor } from "./symbolic_tensor.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

export type Value = Constant | SymbolicTensor;

/** What a node computes; most have one output. */
export type Operator = (call: Call) => Value | Value[];

export type Operators = Readonly<Record<string, Operator>>;

export class Call {
  private readonly asked = new Set<string>();

  /** @param inputs `undefined` for those left out */
  constructor(
    private readonly node: OnnxNode,
    private readonly inputs: readonly (Value | undefined)[],
    /** Operators changed from version to version. */
    readonly opset: number,
  ) {}

  get inputCount(): number {
    return this.inputs.length;
  }

  get outputCount(): number {
    return this.node.outputs.length;
  }

  has(input: number): boolean {
    return this.inputs[input] !== undefined;
  }

  value(input: number): Value {
    const value = this.inputs[input];
    if (value === undefined) throw new UnsupportedModel(`input ${input} is missing`);
    return value;
  }

  tensor(input: number): SymbolicTensor {
    const value = this.value(input);
    if (value instanceof SymbolicTensor) return value;
    throw new UnsupportedModel(`input ${input} is a constant, where a tower has none`);
  }

  constant(input: number): Constant {
    const value = this.value(input);
    if (value instanceof Constant) return value;
    throw new UnsupportedModel(
      `input ${input} depends on the picture, where a tower has a constant`,
    );
  }

  /** A list of integers: a shape, axes, bounds. */
  integers(input: number): number[] {
    const list = this.constant(input);
    if (list.isInteger && list.dims.length === 1) return list.numbers();
    throw new UnsupportedModel(
      `input ${input} is ${list.type} ${formatShape(list.dims)}, no list of integers`,
    );
  }

  /** Any number, a float too. @param otherwise where the attribute may be left out */
  number(name: string, otherwise?: number): number {
    const value = this.attribute(name) ?? otherwise;
    if (typeof value === "number") return value;
    throw new UnsupportedModel(
      `its attribute ${name} is ${value === undefined ? "missing" : "no number"}`,
    );
  }

  /** `null` where there is no such attribute. */
  list(name: string): number[] | null {
    const value = this.attribute(name);
    if (value === undefined) return null;
    if (Array.isArray(value)) return value;
    throw new UnsupportedModel(`its attribute ${name} is no list of integers`);
  }

  attribute(name: string): NonNullable<OnnxAttribute> | undefined {
    this.asked.add(name);
    const value = this.node.attributes.get(name);
    if (value === null) throw new UnsupportedModel(`its attribute ${name} is of a kind not known`);
    return value;
  }

  /** Axes were an attribute once, and became an input with opset 13 or 18. */
  axes(input: number): number[] | null {
    return this.has(input) ? this.integers(input) : this.list("axes");
  }

  /** @param expected what is also meant where it is left out @throws {UnsupportedModel} where it is not */
  require(name: string, expected: number | string | number[]): void {
    const value = this.attribute(name) ?? expected;
    if (JSON.stringify(value) !== JSON.stringify(expected)) {
      throw new UnsupportedModel(
        `its ${name} is ${JSON.stringify(value)}, where a tower has ${JSON.stringify(expected)}`,
      );
    }
  }

  /** @throws {UnsupportedModel} where the node has an attribute that its operator never looked at */
  requireNoMore(): void {
    for (const name of this.node.attributes.keys()) {
      if (!this.asked.has(name)) throw new UnsupportedModel(`its attribute ${name} is not known`);
    }
  }
}

/** Counts an axis from the end where it is negative. */
export function axisOf(axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis;
  if (!(counted >= 0 && counted < rank)) {
    throw new UnsupportedModel(`there is no axis ${axis} in a tensor of rank ${rank}`);
  }
  return counted;
}
