/**
 * For tests of refusals: finds its way in a graph that was read, changes it, and sees what is said.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../onnx/model.ts";
import { readModel } from "../onnx/read_model.ts";
import { towerOf } from "../read_tower.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** Asserts that a file is a tower, and none any more after a change, for that reason. */
export function refuses(
  file: Uint8Array,
  reason: RegExp,
  change: (model: OnnxModel) => void,
): void {
  const model = readModel(file);
  towerOf(model);
  change(model);
  assert.throws(() => towerOf(model), (error) => {
    assert.ok(error instanceof UnsupportedModel, String(error));
    assert.match(error.message, /^Cannot read the model as an image tower: /);
    assert.match(error.message, reason);
    return true;
  });
}

/** @param n counted from the end where it is negative */
export function nth(model: OnnxModel, op: string, n = 0): OnnxNode {
  const node = model.nodes.filter((node) => node.op === op).at(n);
  assert.ok(node, `there is no ${op} ${n}`);
  return node;
}

/** The node that makes a value. */
export function makerOf(model: OnnxModel, value: string): OnnxNode {
  const node = model.nodes.find(({ outputs }) => outputs.includes(value));
  assert.ok(node, `nothing makes ${value}`);
  return node;
}

export function isMade(model: OnnxModel, value: string): boolean {
  return model.nodes.some(({ op, outputs }) => op !== "Constant" && outputs.includes(value));
}

/** The number in a Constant, to be changed. */
export function constantOf(model: OnnxModel, value: string): OnnxTensor {
  return makerOf(model, value).attributes.get("value") as OnnxTensor;
}

/** Replaces a value by another one wherever it is used. */
export function replace({ nodes }: OnnxModel, value: string, other: string): void {
  for (const node of nodes) {
    node.inputs = node.inputs.map((input) => input === value ? other : input);
  }
}

/** Puts a node between a value and all its uses. @param node its first input is the value */
export function insertAfter(
  model: OnnxModel,
  value: string,
  { op, more = [], attributes = new Map() }: {
    op: string;
    more?: string[];
    attributes?: OnnxNode["attributes"];
  },
): void {
  const output = `${value} ${op}`;
  replace(model, value, output);
  const at = model.nodes.indexOf(makerOf(model, value)) + 1;
  const inputs = [value, ...more];
  model.nodes.splice(at, 0, { op, domain: "", inputs, outputs: [output], attributes });
}

export function floats(dims: number[], value = 0.5): OnnxTensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return { dims, type: "FLOAT", data: new Float32Array(size).fill(value) };
}
