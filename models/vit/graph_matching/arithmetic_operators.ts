/**
 * Arithmetic on symbolic tensors, operator by operator: what it means depends on what meets. Layer
 * normalisation and the activations are put together here, from the steps they are exported as.
 *
 * @module
 */
import { formatShape, isWhole } from "./axes.ts";
import { axisOf, type Call, type Operators } from "./call.ts";
import { Constant } from "./constant.ts";
import { requireSameAxes, SymbolicTensor } from "./symbolic_tensor.ts";
import type { Expression, Gate } from "./expression.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** x · sigmoid(1.702 x), and x · (1 + erf(x / √2)) / 2: Hendrycks, Gimpel 2016, section 2. */
const QUICK_GELU_SLOPE = 1.702;
const GELU_SLOPE = Math.SQRT1_2;

export const ARITHMETIC_OPERATORS: Operators = {
  Add(call) {
    const { tensor, other } = operands(call);
    if (other instanceof SymbolicTensor) return residual(tensor, other);
    const number = other.scalar();
    return number === null ? plusVector(tensor, other) : plusNumber(tensor, number);
  },

  Mul(call) {
    const { tensor, other } = operands(call);
    if (other instanceof SymbolicTensor) return product(tensor, other);
    const number = other.scalar();
    if (number !== null) return tensor.times(number);
    const expression = tensor.unscaled();
    if (expression.kind !== "normalised") {
      throw new UnsupportedModel(`${expression.kind} is multiplied by weights`);
    }
    return new SymbolicTensor(
      { kind: "normalised · gain", of: expression, gain: vectorAlongChannels(other, tensor) },
      tensor.axes,
    );
  },

  Sub(call) {
    const [tensor, mean] = [call.tensor(0), call.tensor(1)];
    const [of, subtracted] = [tensor.unscaled(), mean.unscaled()];
    if (subtracted.kind !== "mean" || subtracted.of !== of) {
      throw new UnsupportedModel(`${subtracted.kind} is subtracted from ${of.kind}`);
    }
    requireSameAxes(mean, withoutChannels(tensor));
    return new SymbolicTensor({ kind: "centred", of }, tensor.axes);
  },

  Div(call) {
    const tensor = call.tensor(0);
    const by = call.value(1);
    if (by instanceof Constant) {
      const number = by.scalar();
      if (number === null) {
        throw new UnsupportedModel(`${tensor.expression.kind} is divided by weights`);
      }
      return tensor.times(1 / number);
    }
    const [centred, deviation] = [tensor.unscaled(), by.unscaled()];
    if (
      centred.kind !== "centred" || deviation.kind !== "deviation" || deviation.of !== centred.of
    ) throw new UnsupportedModel(`${centred.kind} is divided by ${deviation.kind}`);
    requireSameAxes(by, withoutChannels(tensor));
    const { of, epsilon } = deviation;
    return new SymbolicTensor({ kind: "normalised", of, epsilon }, tensor.axes);
  },

  Pow(call) {
    const tensor = call.tensor(0);
    const expression = tensor.unscaled();
    const exponent = call.constant(1).scalar();
    if (expression.kind !== "centred" || exponent !== 2) {
      throw new UnsupportedModel(`${expression.kind} is raised to the power of ${exponent}`);
    }
    return new SymbolicTensor({ kind: "squared", of: expression.of }, tensor.axes);
  },

  ReduceMean(call) {
    const tensor = call.tensor(0);
    call.require("keepdims", 1);
    call.require("noop_with_empty_axes", 0);
    const last = tensor.axes.length - 1;
    const [axis, ...more] = call.axes(1) ?? [];
    if (axis === undefined || more.length > 0 || axisOf(axis, tensor.axes.length) !== last) {
      throw new UnsupportedModel(`it means over axes ${call.axes(1)}, not over the channels alone`);
    }
    const expression = tensor.unscaled();
    const moment: Expression = expression.kind === "squared"
      ? { kind: "variance", of: expression.of }
      : { kind: "mean", of: expression };
    return new SymbolicTensor(moment, withoutChannels(tensor).axes);
  },

  Sqrt(call) {
    const tensor = call.tensor(0);
    const expression = tensor.unscaled();
    if (expression.kind !== "shifted variance") {
      throw new UnsupportedModel(`the root of ${expression.kind} is taken`);
    }
    return new SymbolicTensor({ ...expression, kind: "deviation" }, tensor.axes);
  },

  LayerNormalization(call) {
    const tensor = call.tensor(0);
    call.require("stash_type", 1);
    if (axisOf(call.number("axis", -1), tensor.axes.length) !== tensor.axes.length - 1) {
      throw new UnsupportedModel(
        `it normalises from axis ${call.number("axis", -1)}, not the last`,
      );
    }
    const epsilon = call.number("epsilon", 1e-5);
    const [gain, bias] = [1, 2].map((i) => vectorAlongChannels(call.constant(i), tensor));
    const norm: Expression = {
      kind: "layer normalisation",
      of: tensor.unscaled(),
      epsilon,
      gain: gain!,
      bias: bias!,
    };
    return new SymbolicTensor(norm, tensor.axes);
  },

  Sigmoid: (call) => gate("sigmoid", call.tensor(0)),
  Erf: (call) => gate("erf", call.tensor(0)),

  Gelu(call) {
    call.require("approximate", "none");
    const tensor = call.tensor(0);
    return new SymbolicTensor(
      { kind: "activation", of: tensor.unscaled(), by: "gelu" },
      tensor.axes,
    );
  },
};

/** Of a sum or product: at least one input is symbolic. */
function operands(call: Call): { tensor: SymbolicTensor; other: SymbolicTensor | Constant } {
  const [a, b] = [call.value(0), call.value(1)];
  const [tensor, other] = a instanceof SymbolicTensor ? [a, b] : [call.tensor(1), a];
  if (other.dims.length > tensor.dims.length) {
    throw new UnsupportedModel(
      `shapes ${formatShape(tensor.dims)} and ${formatShape(other.dims)} don't go together`,
    );
  }
  if (other instanceof Constant && other.type !== "FLOAT") {
    throw new UnsupportedModel(
      `it meets a constant of type ${other.type}, where a tower has FLOAT`,
    );
  }
  return { tensor, other };
}

function residual(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  const [stream, branch] = a.expression.kind === "linear layer" ? [b, a] : [a, b];
  requireSameAxes(a, b);
  const [from, to] = [stream.unscaled(), branch.unscaled()];
  if (from.kind === "linear layer" || to.kind !== "linear layer") {
    throw new UnsupportedModel(`${from.kind} and ${to.kind} are added`);
  }
  return new SymbolicTensor({ kind: "residual sum", stream: from, branch: to }, a.axes);
}

function plusNumber(tensor: SymbolicTensor, number: number): SymbolicTensor {
  const expression = tensor.unscaled();
  if (expression.kind === "variance" && number > 0) {
    return new SymbolicTensor(
      { kind: "shifted variance", of: expression.of, epsilon: number },
      tensor.axes,
    );
  }
  if (expression.kind === "erf" && number === 1) {
    return new SymbolicTensor({ ...expression, kind: "1 + erf" }, tensor.axes);
  }
  throw new UnsupportedModel(`${number} is added to ${expression.kind}`);
}

function plusVector(tensor: SymbolicTensor, vector: Constant): SymbolicTensor {
  if (tensor.expression.kind === "scores") {
    throw new UnsupportedModel(
      `scores get a mask of shape ${formatShape(vector.dims)}, where a tower has none`,
    );
  }
  const expression = tensor.unscaled();
  switch (expression.kind) {
    case "tokens":
      return new SymbolicTensor(
        {
          kind: "tokens with positions",
          tokens: expression,
          positions: positionsFor(tensor, vector),
        },
        tensor.axes,
      );
    case "projection":
      return new SymbolicTensor(
        { ...expression, kind: "linear layer", bias: vectorAlongChannels(vector, tensor) },
        tensor.axes,
      );
    case "normalised · gain": {
      const { of: { of, epsilon }, gain } = expression;
      const bias = vectorAlongChannels(vector, tensor);
      return new SymbolicTensor(
        { kind: "layer normalisation", of, epsilon, gain, bias },
        tensor.axes,
      );
    }
    default:
      throw new UnsupportedModel(
        `weights of shape ${formatShape(vector.dims)} are added to ${expression.kind}`,
      );
  }
}

/** One number a channel: [width], and 1s before it. */
function vectorAlongChannels(vector: Constant, tensor: SymbolicTensor): Constant {
  const width = tensor.dims.at(-1)!;
  if (
    !isWhole(tensor.axes.at(-1), "channel") || vector.size !== width || vector.dims.at(-1) !== width
  ) {
    throw new UnsupportedModel(
      `weights of shape ${formatShape(vector.dims)} meet ${tensor}, where they are one a channel`,
    );
  }
  return vector.reshape([width]);
}

/** [tokens, width], the same for all pictures. */
function positionsFor(tensor: SymbolicTensor, positions: Constant): Constant {
  const [tokens, channels] = tensor.axes.slice(-2);
  const dims = tensor.dims.slice(-2);
  const before = positions.dims.slice(0, -2);
  const goesWith = positions.dims.slice(-2).join() === dims.join() &&
    before.every((dim, i) =>
      dim === 1 || dim === tensor.dims[tensor.dims.length - 2 - before.length + i]
    );
  if (!isWhole(tokens, "token") || !isWhole(channels, "channel") || !goesWith) {
    throw new UnsupportedModel(
      `positions of shape ${formatShape(positions.dims)} meet tokens ${formatShape(tensor.dims)}`,
    );
  }
  return before.reduce((all, _, axis) => all.onlyOneAlong(axis), positions).reshape(dims);
}

function product(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  requireSameAxes(a, b);
  if (a.expression === b.expression && a.expression.kind === "centred") {
    return new SymbolicTensor(
      { kind: "squared", of: a.expression.of },
      a.axes,
      a.factor * b.factor,
    );
  }
  const [gate, tensor] = isGate(a) ? [a, b] : [b, a];
  if (isGate(gate) && gate.expression.of === tensor.expression) {
    const { kind, slope } = gate.expression;
    const factor = gate.factor * tensor.factor;
    const of = tensor.expression;
    if (kind === "sigmoid" && isNear(slope, QUICK_GELU_SLOPE)) {
      return new SymbolicTensor({ kind: "activation", of, by: "quick_gelu" }, a.axes, factor);
    }
    if (kind === "1 + erf" && isNear(slope, GELU_SLOPE)) {
      return new SymbolicTensor({ kind: "activation", of, by: "gelu" }, a.axes, factor * 2);
    }
    throw new UnsupportedModel(
      `x · ${kind}(${slope} x) is neither quick GELU (sigmoid, 1.702) nor GELU (1 + erf, 0.7071)`,
    );
  }
  throw new UnsupportedModel(`${a.expression.kind} and ${b.expression.kind} are multiplied`);
}

function isGate(tensor: SymbolicTensor): tensor is SymbolicTensor<Gate> {
  return tensor.expression.kind === "sigmoid" || tensor.expression.kind === "1 + erf";
}

function gate(
  kind: "sigmoid" | "erf",
  { expression, axes, factor }: SymbolicTensor,
): SymbolicTensor {
  return new SymbolicTensor({ kind, of: expression, slope: factor }, axes);
}

function withoutChannels(tensor: SymbolicTensor): SymbolicTensor {
  if (!isWhole(tensor.axes.at(-1), "channel")) {
    throw new UnsupportedModel(
      `the last axis of ${tensor} is not its channels`,
    );
  }
  return new SymbolicTensor(tensor.expression, tensor.axes.with(-1, []));
}

/** The same but for rounding to float32. */
export function isNear(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= 1e-6 * Math.abs(expected);
}
