/**
 * Arithmetic on what flows, operator by operator: what it means depends on what meets. Layer
 * normalisation and the activations are put together here, from the steps they are exported as.
 *
 * @module
 */
import { isWhole, shown } from "./axes.ts";
import { axisOf, type Call, type Operators } from "./call.ts";
import { Constant } from "./constant.ts";
import { Flow, requireSameAxes } from "./flow.ts";
import type { Gate, Term } from "./term.ts";
import { UnlikeATower } from "./unlike_a_tower.ts";

/** x · sigmoid(1.702 x), and x · (1 + erf(x / √2)) / 2: Hendrycks, Gimpel 2016, section 2. */
const QUICK_GELU_SLOPE = 1.702;
const GELU_SLOPE = Math.SQRT1_2;

export const ARITHMETIC: Operators = {
  Add(call) {
    const { flow, other } = operands(call);
    if (other instanceof Flow) return residual(flow, other);
    const number = other.scalar();
    return number === null ? plusVector(flow, other) : plusNumber(flow, number);
  },

  Mul(call) {
    const { flow, other } = operands(call);
    if (other instanceof Flow) return product(flow, other);
    const number = other.scalar();
    if (number !== null) return flow.times(number);
    const term = flow.unscaled();
    if (term.kind !== "normalised") throw new UnlikeATower(`${term.kind} is multiplied by weights`);
    return new Flow(
      { kind: "normalised · gain", of: term, gain: vectorAlongChannels(other, flow) },
      flow.axes,
    );
  },

  Sub(call) {
    const [flow, mean] = [call.flow(0), call.flow(1)];
    const [of, subtracted] = [flow.unscaled(), mean.unscaled()];
    if (subtracted.kind !== "mean" || subtracted.of !== of) {
      throw new UnlikeATower(`${subtracted.kind} is subtracted from ${of.kind}`);
    }
    requireSameAxes(mean, withoutChannels(flow));
    return new Flow({ kind: "centred", of }, flow.axes);
  },

  Div(call) {
    const flow = call.flow(0);
    const by = call.value(1);
    if (by instanceof Constant) {
      const number = by.scalar();
      if (number === null) throw new UnlikeATower(`${flow.term.kind} is divided by weights`);
      return flow.times(1 / number);
    }
    const [centred, deviation] = [flow.unscaled(), by.unscaled()];
    if (
      centred.kind !== "centred" || deviation.kind !== "deviation" || deviation.of !== centred.of
    ) throw new UnlikeATower(`${centred.kind} is divided by ${deviation.kind}`);
    requireSameAxes(by, withoutChannels(flow));
    const { of, epsilon } = deviation;
    return new Flow({ kind: "normalised", of, epsilon }, flow.axes);
  },

  Pow(call) {
    const flow = call.flow(0);
    const term = flow.unscaled();
    const exponent = call.constant(1).scalar();
    if (term.kind !== "centred" || exponent !== 2) {
      throw new UnlikeATower(`${term.kind} is raised to the power of ${exponent}`);
    }
    return new Flow({ kind: "squared", of: term.of }, flow.axes);
  },

  ReduceMean(call) {
    const flow = call.flow(0);
    call.require("keepdims", 1);
    call.require("noop_with_empty_axes", 0);
    const last = flow.axes.length - 1;
    const [axis, ...more] = call.axes(1) ?? [];
    if (axis === undefined || more.length > 0 || axisOf(axis, flow.axes.length) !== last) {
      throw new UnlikeATower(`it means over axes ${call.axes(1)}, not over the channels alone`);
    }
    const term = flow.unscaled();
    const moment: Term = term.kind === "squared"
      ? { kind: "variance", of: term.of }
      : { kind: "mean", of: term };
    return new Flow(moment, withoutChannels(flow).axes);
  },

  Sqrt(call) {
    const flow = call.flow(0);
    const term = flow.unscaled();
    if (term.kind !== "shifted variance") {
      throw new UnlikeATower(`the root of ${term.kind} is taken`);
    }
    return new Flow({ ...term, kind: "deviation" }, flow.axes);
  },

  LayerNormalization(call) {
    const flow = call.flow(0);
    call.require("stash_type", 1);
    if (axisOf(call.number("axis", -1), flow.axes.length) !== flow.axes.length - 1) {
      throw new UnlikeATower(`it normalises from axis ${call.number("axis", -1)}, not the last`);
    }
    const epsilon = call.number("epsilon", 1e-5);
    const [gain, bias] = [1, 2].map((i) => vectorAlongChannels(call.constant(i), flow));
    const norm: Term = {
      kind: "layer normalisation",
      of: flow.unscaled(),
      epsilon,
      gain: gain!,
      bias: bias!,
    };
    return new Flow(norm, flow.axes);
  },

  Sigmoid: (call) => gate("sigmoid", call.flow(0)),
  Erf: (call) => gate("erf", call.flow(0)),

  Gelu(call) {
    call.require("approximate", "none");
    const flow = call.flow(0);
    return new Flow({ kind: "activation", of: flow.unscaled(), by: "gelu" }, flow.axes);
  },
};

/** Of a sum or product: at least one input flows. */
function operands(call: Call): { flow: Flow; other: Flow | Constant } {
  const [a, b] = [call.value(0), call.value(1)];
  const [flow, other] = a instanceof Flow ? [a, b] : [call.flow(1), a];
  if (other.dims.length > flow.dims.length) {
    throw new UnlikeATower(`shapes ${shown(flow.dims)} and ${shown(other.dims)} don't go together`);
  }
  if (other instanceof Constant && other.type !== "FLOAT") {
    throw new UnlikeATower(`it meets a constant of type ${other.type}, where a tower has FLOAT`);
  }
  return { flow, other };
}

function residual(a: Flow, b: Flow): Flow {
  const [stream, branch] = a.term.kind === "linear layer" ? [b, a] : [a, b];
  requireSameAxes(a, b);
  const [from, to] = [stream.unscaled(), branch.unscaled()];
  if (from.kind === "linear layer" || to.kind !== "linear layer") {
    throw new UnlikeATower(`${from.kind} and ${to.kind} are added`);
  }
  return new Flow({ kind: "residual sum", stream: from, branch: to }, a.axes);
}

function plusNumber(flow: Flow, number: number): Flow {
  const term = flow.unscaled();
  if (term.kind === "variance" && number > 0) {
    return new Flow({ kind: "shifted variance", of: term.of, epsilon: number }, flow.axes);
  }
  if (term.kind === "erf" && number === 1) return new Flow({ ...term, kind: "1 + erf" }, flow.axes);
  throw new UnlikeATower(`${number} is added to ${term.kind}`);
}

function plusVector(flow: Flow, vector: Constant): Flow {
  if (flow.term.kind === "scores") {
    throw new UnlikeATower(
      `scores get a mask of shape ${shown(vector.dims)}, where a tower has none`,
    );
  }
  const term = flow.unscaled();
  switch (term.kind) {
    case "tokens":
      return new Flow(
        { kind: "tokens with positions", tokens: term, positions: positionsFor(flow, vector) },
        flow.axes,
      );
    case "projection":
      return new Flow(
        { ...term, kind: "linear layer", bias: vectorAlongChannels(vector, flow) },
        flow.axes,
      );
    case "normalised · gain": {
      const { of: { of, epsilon }, gain } = term;
      const bias = vectorAlongChannels(vector, flow);
      return new Flow({ kind: "layer normalisation", of, epsilon, gain, bias }, flow.axes);
    }
    default:
      throw new UnlikeATower(`weights of shape ${shown(vector.dims)} are added to ${term.kind}`);
  }
}

/** One number a channel: [width], and 1s before it. */
function vectorAlongChannels(vector: Constant, flow: Flow): Constant {
  const width = flow.dims.at(-1)!;
  if (
    !isWhole(flow.axes.at(-1), "channel") || vector.size !== width || vector.dims.at(-1) !== width
  ) {
    throw new UnlikeATower(
      `weights of shape ${shown(vector.dims)} meet ${flow}, where they are one a channel`,
    );
  }
  return vector.reshape([width]);
}

/** [tokens, width], the same for all pictures. */
function positionsFor(flow: Flow, positions: Constant): Constant {
  const [tokens, channels] = flow.axes.slice(-2);
  const dims = flow.dims.slice(-2);
  const before = positions.dims.slice(0, -2);
  const goesWith = positions.dims.slice(-2).join() === dims.join() &&
    before.every((dim, i) =>
      dim === 1 || dim === flow.dims[flow.dims.length - 2 - before.length + i]
    );
  if (!isWhole(tokens, "token") || !isWhole(channels, "channel") || !goesWith) {
    throw new UnlikeATower(
      `positions of shape ${shown(positions.dims)} meet tokens ${shown(flow.dims)}`,
    );
  }
  return before.reduce((all, _, axis) => all.onlyOneAlong(axis), positions).reshape(dims);
}

function product(a: Flow, b: Flow): Flow {
  requireSameAxes(a, b);
  if (a.term === b.term && a.term.kind === "centred") {
    return new Flow({ kind: "squared", of: a.term.of }, a.axes, a.factor * b.factor);
  }
  const [gate, flow] = isGate(a) ? [a, b] : [b, a];
  if (isGate(gate) && gate.term.of === flow.term) {
    const { kind, slope } = gate.term;
    const factor = gate.factor * flow.factor;
    const of = flow.term;
    if (kind === "sigmoid" && isNear(slope, QUICK_GELU_SLOPE)) {
      return new Flow({ kind: "activation", of, by: "quick_gelu" }, a.axes, factor);
    }
    if (kind === "1 + erf" && isNear(slope, GELU_SLOPE)) {
      return new Flow({ kind: "activation", of, by: "gelu" }, a.axes, factor * 2);
    }
    throw new UnlikeATower(
      `x · ${kind}(${slope} x) is neither quick GELU (sigmoid, 1.702) nor GELU (1 + erf, 0.7071)`,
    );
  }
  throw new UnlikeATower(`${a.term.kind} and ${b.term.kind} are multiplied`);
}

function isGate(flow: Flow): flow is Flow<Gate> {
  return flow.term.kind === "sigmoid" || flow.term.kind === "1 + erf";
}

function gate(kind: "sigmoid" | "erf", { term, axes, factor }: Flow): Flow {
  return new Flow({ kind, of: term, slope: factor }, axes);
}

function withoutChannels(flow: Flow): Flow {
  if (!isWhole(flow.axes.at(-1), "channel")) {
    throw new UnlikeATower(
      `the last axis of ${flow} is not its channels`,
    );
  }
  return new Flow(flow.term, flow.axes.with(-1, []));
}

/** The same but for rounding to float32. */
export function isNear(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= 1e-6 * Math.abs(expected);
}
