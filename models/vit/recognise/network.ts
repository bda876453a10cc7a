/**
 * The operators in which a tower meets its matrices: patches, linear layers, attention.
 *
 * @module
 */
import { isNear } from "./arithmetic.ts";
import { type Axis, isWhole, sameAxes, shown, whole } from "./axes.ts";
import { axisOf, type Operators } from "./call.ts";
import { Constant } from "./constant.ts";
import { Flow } from "./flow.ts";
import type { Linear, Projected } from "./term.ts";
import { UnlikeATower } from "./unlike_a_tower.ts";

/** TensorProto.DataType. */
const FLOAT = 1;

export const NETWORK: Operators = {
  /** Patches don't overlap, so convolving is multiplying each by the filters (ViT paper, section 3.1). */
  Conv(call) {
    const [flow, filters] = [call.flow(0), call.constant(1)];
    const [width, colours, patch] = filters.dims;
    if (call.has(2)) {
      throw new UnlikeATower("the patch embedding has a bias, where a tower has none");
    }
    if (filters.dims.length !== 4 || colours !== 3 || patch !== filters.dims[3]) {
      throw new UnlikeATower(
        `its filters are ${shown(filters.dims)}, not [width, 3, patch, patch]`,
      );
    }
    call.require("kernel_shape", [patch!, patch!]);
    call.require("dilations", [1, 1]);
    call.require("pads", [0, 0, 0, 0]);
    call.require("group", 1);
    if (call.attribute("auto_pad") !== "VALID") call.require("auto_pad", "NOTSET");
    if (call.list("strides")?.join() !== `${patch},${patch}`) {
      throw new UnlikeATower(`patches of ${patch} are ${call.list("strides")} apart, not ${patch}`);
    }
    return patchesOf(flow, filters, patch!, width!);
  },

  /** Puts the class token before the patches. */
  Concat(call) {
    const [classToken, flow] = [call.constant(0), call.flow(1)];
    const term = flow.unscaled();
    const axis = axisOf(call.number("axis"), flow.axes.length);
    const channels = flow.axes.length - 1;
    const width = flow.dims[channels]!;
    const fits = classToken.dims.join() === flow.dims.with(axis, 1).join();
    if (
      call.inputCount !== 2 || term.kind !== "patches" || !isWhole(flow.axes[axis], "patch") ||
      !isWhole(flow.axes[channels], "channel") || !fits
    ) {
      throw new UnlikeATower(
        `${shown(classToken.dims)} is put before ${flow} along axis ${axis}, ` +
          "where a tower puts a class token before patches",
      );
    }
    const once = flow.axes.slice(0, -1)
      .reduce((token, _, other) => token.onlyOneAlong(other), classToken).reshape([width]);
    return new Flow(
      { kind: "tokens", patches: term, classToken: once },
      flow.axes.with(axis, whole("token", flow.dims[axis]! + 1)),
    );
  },

  MatMul(call) {
    const [a, b] = [call.flow(0), call.value(1)];
    if (b instanceof Constant) return project(a, b);
    if (a.axes.length < 2 || b.axes.length < 2) {
      throw new UnlikeATower(`${a} and ${b} are multiplied`);
    }
    return b.term.kind === "linear layer" && a.term.kind === "linear layer"
      ? scores(a, b)
      : mix(a, b);
  },

  Gemm(call) {
    call.require("alpha", 1);
    call.require("beta", 1);
    call.require("transA", 0);
    const flow = call.flow(0);
    const matrix = call.constant(1);
    if (flow.axes.length !== 2 || matrix.dims.length !== 2) {
      throw new UnlikeATower(`it multiplies ${flow} and ${shown(matrix.dims)}`);
    }
    const weight = call.number("transB", 0) === 0 ? matrix : matrix.transpose([1, 0]);
    const projected = project(flow, weight);
    if (!call.has(2)) return projected;
    const bias = call.constant(2);
    const outputs = weight.dims[1]!;
    if (bias.size !== outputs || bias.dims.at(-1) !== outputs) {
      throw new UnlikeATower(`its bias is ${shown(bias.dims)} for ${outputs} outputs`);
    }
    const linear: Linear = {
      ...projected.term,
      kind: "linear layer",
      bias: bias.reshape([outputs]),
    };
    return new Flow(linear, projected.axes);
  },

  Softmax(call) {
    const flow = call.flow(0);
    const last = flow.axes.length - 1;
    const axis = axisOf(call.number("axis", call.opset < 13 ? 1 : -1), flow.axes.length);
    const { term, factor } = flow;
    if (term.kind !== "scores" || axis !== last || !isWhole(flow.axes[last], "key")) {
      throw new UnlikeATower(
        `a softmax of ${flow} is taken along axis ${axis}, where a tower ` +
          "takes one of scores along the tokens looked at",
      );
    }
    if (!isNear(factor, 1 / Math.sqrt(term.headWidth))) {
      throw new UnlikeATower(`scores are scaled by ${factor}, not 1 / √${term.headWidth}`);
    }
    return new Flow({ kind: "shares", of: term }, flow.axes);
  },

  Cast(call) {
    if (call.number("to") === FLOAT) return call.flow(0);
    throw new UnlikeATower(`it casts to type ${call.number("to")}, where a tower has FLOAT (1)`);
  },
};

function patchesOf(flow: Flow, filters: Constant, patch: number, width: number): Flow {
  const [pictures, colours, rows, columns] = flow.axes;
  const [, , height, breadth] = flow.dims as [number, number, number, number];
  const isPicture = flow.unscaled().kind === "picture" && flow.axes.length === 4 &&
    isWhole(colours, "colour") && isWhole(rows, "row") && isWhole(columns, "column");
  if (!isPicture || height !== breadth || height % patch !== 0) {
    throw new UnlikeATower(
      `${flow} is cut into patches of ${patch}, where a tower cuts up a square picture`,
    );
  }
  const side = height / patch;
  if (side === 1) throw new UnlikeATower("the picture is a single patch");
  const count = side ** 2;
  const digit = { index: "patch", count, size: side } as const;
  return new Flow({ kind: "patches", filters }, [
    pictures!,
    whole("channel", width),
    [{ ...digit, stride: side }],
    [{ ...digit, stride: 1 }],
  ]);
}

/** Channels times a matrix. */
function project(flow: Flow, weight: Constant): Flow<Projected> {
  const of = flow.unscaled();
  const [inputs, outputs] = weight.dims;
  if (
    weight.dims.length !== 2 || inputs !== flow.dims.at(-1) ||
    !isWhole(flow.axes.at(-1), "channel")
  ) {
    throw new UnlikeATower(
      `${flow} is multiplied by weights of shape ${shown(weight.dims)}`,
    );
  }
  const axes = flow.axes.with(-1, whole("channel", outputs!));
  return new Flow({ kind: "projection", of, weight }, axes);
}

/** query [.., token, channel of head] · key [.., channel of head, token], head by head. */
function scores(a: Flow, b: Flow): Flow {
  const [query, key] = [a.term, b.term] as [Linear, Linear];
  const [queries, within] = a.axes.slice(-2) as [Axis, Axis];
  const [keyWithin, keys] = b.axes.slice(-2) as [Axis, Axis];
  const before = a.axes.slice(0, -2);
  const fits = sameAxes(before, b.axes.slice(0, -2)) && isWhole(queries, "token") &&
    sameAxes([queries], [keys]) && sameAxes([within], [keyWithin]);
  const headWidth = widthWithinHead(within, before);
  if (!fits || headWidth === null) {
    throw new UnlikeATower(
      `${a} and ${b} are multiplied, where a tower multiplies each head's queries and keys`,
    );
  }
  const axes = [...before, queries, whole("key", keys[0]!.count)];
  return new Flow({ kind: "scores", query, key, headWidth }, axes, a.factor * b.factor);
}

/** shares [.., token, key] · value [.., token, channel of head], head by head. */
function mix(a: Flow, b: Flow): Flow {
  const [shares, value] = [a.unscaled(), b.unscaled()];
  const [tokens, keys] = a.axes.slice(-2) as [Axis, Axis];
  const [valueTokens, within] = b.axes.slice(-2) as [Axis, Axis];
  const before = a.axes.slice(0, -2);
  const headWidth = widthWithinHead(within, before);
  const fits = sameAxes(before, b.axes.slice(0, -2)) && isWhole(keys, "key") &&
    sameAxes([tokens], [valueTokens]);
  if (
    shares.kind !== "shares" || value.kind !== "linear layer" || !fits ||
    headWidth !== shares.of.headWidth
  ) {
    throw new UnlikeATower(
      `${a} and ${b} are multiplied, where a tower multiplies each head's shares and values`,
    );
  }
  return new Flow({ kind: "attention", shares, value }, [...before, tokens, within]);
}

/**
 * How many channels a head has.
 *
 * @param within the channels of a head
 * @param before pictures and heads, in any order, and nothing else
 * @returns `null` where that is not what the axes count
 */
function widthWithinHead(within: Axis, before: readonly Axis[]): number | null {
  const [digit, ...more] = within;
  if (digit?.index !== "channel" || digit.stride !== 1 || more.length > 0) return null;
  const { size, count } = digit;
  const others = before.flat().filter(({ index }) => index !== "picture");
  const heads = count === size ? [] : [{ ...digit, stride: size, size: count / size }];
  return sameAxes([others], [heads]) ? size : null;
}
