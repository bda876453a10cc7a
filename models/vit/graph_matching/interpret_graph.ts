/**
 * Interprets a graph from its input to its outputs, node by node, on symbolic tensors.
 *
 * @module
 */
import type { OnnxModel, OnnxNode, OnnxPort } from "../onnx/model.ts";
import { UnsupportedModel } from "../unsupported_model.ts";
import { ARITHMETIC_OPERATORS } from "./arithmetic_operators.ts";
import { OPEN_BATCH, whole } from "./axes.ts";
import { Call, type Operators, type Value } from "./call.ts";
import { Constant } from "./constant.ts";
import { SymbolicTensor } from "./symbolic_tensor.ts";
import { CONSTANT_FOLDING } from "./constant_folding.ts";
import { SHAPE_OPERATORS } from "./shape_operators.ts";
import { LAYER_OPERATORS } from "./layer_operators.ts";

/** Versions of the operator set that these operators were written by: with 11, all count axes alike. */
const OPSETS = { least: 11, most: 22 };

/** Where nothing comes from the picture. */
const ON_CONSTANTS: Operators = { ...SHAPE_OPERATORS, ...CONSTANT_FOLDING };
const ON_FLOWS: Operators = { ...SHAPE_OPERATORS, ...ARITHMETIC_OPERATORS, ...LAYER_OPERATORS };

/** What every value of a graph is, by its name; and all weights, to see that none was left over. */
export interface InterpretedGraph {
  values: Map<string, Value>;
  weights: Weight[];
}

export interface Weight {
  name: string;
  constant: Constant;
}

/** @throws {UnsupportedModel} at the first node that no tower has */
export function interpretGraph(model: OnnxModel): InterpretedGraph {
  const opset = opsetOf(model);
  const values = new Map<string, Value>();
  for (const [name, tensor] of model.initializers) {
    values.set(name, located(`the weights "${name}"`, () => Constant.of(tensor)));
  }
  const picture = onlyInput(model);
  values.set(picture.name, pictureFor(picture, model));
  for (const node of model.nodes) followNode(node, values, opset);
  return { values, weights: [...weightsIn(model, values)] };
}

function followNode(node: OnnxNode, values: Map<string, Value>, opset: number): void {
  const outputs = located(`${node.op} (output "${node.outputs[0]}")`, () => {
    if (node.domain !== "") throw new UnsupportedModel(`the operator is of "${node.domain}"`);
    const inputs = node.inputs.map((name) => {
      if (name !== "" && !values.has(name)) {
        throw new UnsupportedModel(`there is no value "${name}"`);
      }
      return values.get(name);
    });
    const operators = inputs.some((value) => value instanceof SymbolicTensor)
      ? ON_FLOWS
      : ON_CONSTANTS;
    if (!Object.hasOwn(operators, node.op)) {
      throw new UnsupportedModel("a tower has no such operator there");
    }
    const call = new Call(node, inputs, opset);
    const made = [operators[node.op]!(call)].flat();
    call.requireNoMore();
    if (made.length !== node.outputs.length) {
      throw new UnsupportedModel(
        `it has ${node.outputs.length} outputs, where a tower has ${made.length}`,
      );
    }
    const again = node.outputs.find((name) => values.has(name));
    if (again !== undefined) throw new UnsupportedModel(`there is a value "${again}" already`);
    return made;
  });
  node.outputs.forEach((name, i) => values.set(name, outputs[i]!));
}

/** Adds to an error where in the graph it was, which an operator does not know. */
function located<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UnsupportedModel)) throw error;
    throw new UnsupportedModel(`${where}: ${error.reason}`, { cause: error });
  }
}

function opsetOf({ opsets }: OnnxModel): number {
  const opset = opsets.get("");
  if (opset === undefined || opset < OPSETS.least || opset > OPSETS.most) {
    const { least, most } = OPSETS;
    throw new UnsupportedModel(`its opset is ${opset ?? "none"}: ${least} to ${most} are known`);
  }
  return opset;
}

function onlyInput({ inputs }: OnnxModel): OnnxPort {
  const [input, ...more] = inputs;
  if (input === undefined || more.length > 0) {
    throw new UnsupportedModel(
      `it has ${inputs.length} inputs, where a tower has one, the picture`,
    );
  }
  return input;
}

function pictureFor({ name, dims }: OnnxPort, model: OnnxModel): SymbolicTensor {
  const [pictures, colours, rows, columns] = dims;
  if (dims.length !== 4 || (colours ?? 3) !== 3) {
    const met = dims.map((dim) => dim ?? "open").join(", ");
    throw new UnsupportedModel(`its input "${name}" is [${met}], not [n, 3, height, width]`);
  }
  const side = rows ?? columns ?? sideOfOpenPicture(name, model);
  return new SymbolicTensor({ kind: "picture" }, [
    whole("picture", pictures ?? OPEN_BATCH),
    whole("colour", 3),
    whole("row", rows ?? side),
    whole("column", columns ?? side),
  ]);
}

/** Where the picture's size is left open, positions tell how many patches there are. */
function sideOfOpenPicture(input: string, { nodes, initializers }: OnnxModel): number {
  const conv = nodes.find(({ op, inputs }) => op === "Conv" && inputs[0] === input);
  const [width, , patch] = initializers.get(conv?.inputs[1] ?? "")?.dims ?? [];
  const grids = new Set<number>();
  for (const { dims } of initializers.values()) {
    const [tokens, channels] = dims.slice(-2);
    const grid = Math.sqrt((tokens ?? 0) - 1);
    const isPositions = channels === width && (dims.length === 2 || dims.length === 3);
    if (isPositions && Number.isInteger(grid) && grid > 1) grids.add(grid);
  }
  const [grid, ...more] = grids;
  if (patch === undefined || grid === undefined || more.length > 0) {
    throw new UnsupportedModel(
      `its input "${input}" is of no certain size, and no weights determine it, as positions do`,
    );
  }
  return grid * patch;
}

/** Everything larger than a scalar that is no integers, in the graph's own list or in a node. */
function* weightsIn({ initializers, nodes }: OnnxModel, values: Map<string, Value>) {
  const inNodes = nodes.filter(({ op }) => op === "Constant").map(({ outputs }) => outputs[0]!);
  for (const name of [...initializers.keys(), ...inNodes]) {
    const constant = values.get(name);
    if (constant instanceof Constant && !constant.isInteger && constant.size > 1) {
      yield { name, constant };
    }
  }
}
