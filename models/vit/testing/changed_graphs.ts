/**
 * A graph with one thing changed, in every way that its structure offers: inputs swapped or taken from
 * elsewhere, nodes left out or of another operator, attributes and small constants a little different.
 * Most are no towers any more, some are the same one, and a few are another.
 *
 * @module
 */
import type { OnnxModel, OnnxNode, OnnxTensor } from "../onnx/model.ts";

export interface Change {
  /** For a message. */
  what: string;
  /** Changes a model that was read from the same file. */
  apply(model: OnnxModel): void;
}

const OF_ONE = ["Identity", "Sigmoid", "Erf", "Sqrt", "Tanh", "Softmax"];
const OF_TWO = ["Add", "Sub", "Mul", "Div", "Pow", "MatMul"];
/** How far back a value may come from that is taken instead of the right one. */
const BACK = [1, 2, 3, 5, 8, 13, 21, 34];

/** All changes to a graph, in its order. */
export function changesTo(model: OnnxModel): Change[] {
  const changes: Change[] = [];
  for (const [at, node] of model.nodes.entries()) {
    const change = (what: string, apply: (node: OnnxNode) => void) => {
      changes.push({
        what: `${node.op} "${node.outputs[0]}" ${what}`,
        apply: ({ nodes }) => apply(nodes[at]!),
      });
    };
    const value = node.attributes.get("value");
    if (node.op === "Constant") changeNumbers(value as OnnxTensor, change);
    else {
      changeOperator(node, change);
      changeAttributes(node, change);
      changeInputs(node, at, model, change);
    }
  }
  return changes;
}

type ChangeNode = (what: string, apply: (node: OnnxNode) => void) => void;

function changeNumbers({ type, data }: OnnxTensor, change: ChangeNode): void {
  if (data === null || data.length > 4) return;
  for (const [i, number] of data.entries()) {
    for (const by of type === "FLOAT" ? [1, -1, 0.1] : [1, -1]) {
      change(`is ${number} + ${by}`, ({ attributes }) => {
        (attributes.get("value") as OnnxTensor).data![i]! += by;
      });
    }
  }
}

function changeOperator({ op, inputs }: OnnxNode, change: ChangeNode): void {
  const others = inputs.length === 1 ? OF_ONE : inputs.length === 2 ? OF_TWO : [];
  for (const other of others.filter((name) => name !== op)) {
    change(`is ${other}`, (node) => Object.assign(node, { op: other, attributes: new Map() }));
  }
  for (const input of inputs.slice(0, 2)) {
    change(`is its input "${input}"`, (node) => {
      Object.assign(node, { op: "Identity", inputs: [input], attributes: new Map() });
    });
  }
}

function changeAttributes({ attributes }: OnnxNode, change: ChangeNode): void {
  for (const [name, value] of attributes) {
    change(`has no ${name}`, (node) => node.attributes.delete(name));
    const others = typeof value === "number"
      ? [value + 1, value - 1]
      : Array.isArray(value)
      ? [...value.map((number, i) => value.with(i, number + 1)), value.toReversed()]
      : [];
    for (const other of others) {
      change(`has ${name} ${other}`, (node) => node.attributes.set(name, other));
    }
  }
}

function changeInputs(
  { inputs }: OnnxNode,
  at: number,
  { nodes, initializers }: OnnxModel,
  change: ChangeNode,
): void {
  const [first, second, ...more] = inputs;
  if (second !== undefined) {
    change("has its inputs swapped", (node) => {
      node.inputs = [second, first!, ...more];
    });
  }
  const made = BACK.flatMap((back) => nodes[at - back] ?? [])
    .filter(({ op }) => op !== "Constant").map(({ outputs }) => outputs[0]!);
  for (const [i, input] of inputs.entries()) {
    const weight = initializers.get(input);
    const alike = [...initializers].filter(([, { dims }]) => dims.join() === weight?.dims.join());
    for (const other of weight ? alike.map(([name]) => name) : made) {
      if (other === input) continue;
      change(`has "${other}" for "${input}"`, (node) => {
        node.inputs[i] = other;
      });
    }
  }
}
