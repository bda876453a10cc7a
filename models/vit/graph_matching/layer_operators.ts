/**
 * The operators in which a tower meets its matrices: patches, linear layers, attention.
 *
 * @module
 */
import { isNear } from "./arithmetic_operators.ts";
import { type Axis, formatShape, isWhole, sameAxes, whole } from "./axes.ts";
import { axisOf, type Operators } from "./call.ts";
import { Constant } from "./constant.ts";
import { SymbolicTensor } from "./symbolic_tensor.ts";
import type { Linear, Projected } from "./expression.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** TensorProto.DataType. */
const FLOAT = 1;

export const LAYER_OPERATORS: Operators = {
  /** Patches don't overlap, so convolving is multiplying each by the filters (ViT paper, section 3.1). */
  Conv(call) {
    const [tensor, filters] = [call.tensor(0), call.constant(1)];
    const [width, colours, patch] = filters.dims;
    if (call.has(2)) {
      throw new UnsupportedModel("the patch embedding has a bias, where a tower has none");
    }
    if (filters.dims.length !== 4 || colours !== 3 || patch !== filters.dims[3]) {
      throw new UnsupportedModel(
        `its filters are ${formatShape(filters.dims)}, not [width, 3, patch, patch]`,
      );
    }
    call.require("kernel_shape", [patch!, patch!]);
    call.require("dilations", [1, 1]);
    call.require("pads", [0, 0, 0, 0]);
    call.require("group", 1);
    if (call.attribute("auto_pad") !== "VALID") call.require("auto_pad", "NOTSET");
    if (call.list("strides")?.join() !== `${patch},${patch}`) {
      throw new UnsupportedModel(
        `patches of ${patch} are ${call.list("strides")} apart, not ${patch}`,
      );
    }
    return patchesOf(tensor, filters, patch!, width!);
  },

  /** Puts the class token before the patches. */
  Concat(call) {
    const [classToken, tensor] = [call.constant(0), call.tensor(1)];
    const expression = tensor.unscaled();
    const axis = axisOf(call.number("axis"), tensor.axes.length);
    const channels = tensor.axes.length - 1;
    const width = tensor.dims[channels]!;
    const fits = classToken.dims.join() === tensor.dims.with(axis, 1).join();
    if (
      call.inputCount !== 2 || expression.kind !== "patches" ||
      !isWhole(tensor.axes[axis], "patch") ||
      !isWhole(tensor.axes[channels], "channel") || !fits
    ) {
      throw new UnsupportedModel(
        `${formatShape(classToken.dims)} is put before ${tensor} along axis ${axis}, ` +
          "where a tower puts a class token before patches",
      );
    }
    const once = tensor.axes.slice(0, -1)
      .reduce((token, _, other) => token.onlyOneAlong(other), classToken).reshape([width]);
    return new SymbolicTensor(
      { kind: "tokens", patches: expression, classToken: once },
      tensor.axes.with(axis, whole("token", tensor.dims[axis]! + 1)),
    );
  },

  MatMul(call) {
    const [a, b] = [call.tensor(0), call.value(1)];
    if (b instanceof Constant) return project(a, b);
    if (a.axes.length < 2 || b.axes.length < 2) {
      throw new UnsupportedModel(`${a} and ${b} are multiplied`);
    }
    return b.expression.kind === "linear layer" && a.expression.kind === "linear layer"
      ? scores(a, b)
      : mix(a, b);
  },

  Gemm(call) {
    call.require("alpha", 1);
    call.require("beta", 1);
    call.require("transA", 0);
    const tensor = call.tensor(0);
    const matrix = call.constant(1);
    if (tensor.axes.length !== 2 || matrix.dims.length !== 2) {
      throw new UnsupportedModel(`it multiplies ${tensor} and ${formatShape(matrix.dims)}`);
    }
    const weight = call.number("transB", 0) === 0 ? matrix : matrix.transpose([1, 0]);
    const projected = project(tensor, weight);
    if (!call.has(2)) return projected;
    const bias = call.constant(2);
    const outputs = weight.dims[1]!;
    if (bias.size !== outputs || bias.dims.at(-1) !== outputs) {
      throw new UnsupportedModel(`its bias is ${formatShape(bias.dims)} for ${outputs} outputs`);
    }
    const linear: Linear = {
      ...projected.expression,
      kind: "linear layer",
      bias: bias.reshape([outputs]),
    };
    return new SymbolicTensor(linear, projected.axes);
  },

  Softmax(call) {
    const tensor = call.tensor(0);
    const last = tensor.axes.length - 1;
    const axis = axisOf(call.number("axis", call.opset < 13 ? 1 : -1), tensor.axes.length);
    const { expression, factor } = tensor;
    if (expression.kind !== "scores" || axis !== last || !isWhole(tensor.axes[last], "key")) {
      throw new UnsupportedModel(
        `a softmax of ${tensor} is taken along axis ${axis}, where a tower ` +
          "takes one of scores along the tokens looked at",
      );
    }
    if (!isNear(factor, 1 / Math.sqrt(expression.headWidth))) {
      throw new UnsupportedModel(
        `scores are scaled by ${factor}, not 1 / √${expression.headWidth}`,
      );
    }
    return new SymbolicTensor({ kind: "shares", of: expression }, tensor.axes);
  },

  Cast(call) {
    if (call.number("to") === FLOAT) return call.tensor(0);
    throw new UnsupportedModel(
      `it casts to type ${call.number("to")}, where a tower has FLOAT (1)`,
    );
  },
};

function patchesOf(
  tensor: SymbolicTensor,
  filters: Constant,
  patch: number,
  width: number,
): SymbolicTensor {
  const [pictures, colours, rows, columns] = tensor.axes;
  const [, , height, breadth] = tensor.dims as [number, number, number, number];
  const isPicture = tensor.unscaled().kind === "picture" && tensor.axes.length === 4 &&
    isWhole(colours, "colour") && isWhole(rows, "row") && isWhole(columns, "column");
  if (!isPicture || height !== breadth || height % patch !== 0) {
    throw new UnsupportedModel(
      `${tensor} is cut into patches of ${patch}, where a tower cuts up a square picture`,
    );
  }
  const side = height / patch;
  if (side === 1) throw new UnsupportedModel("the picture is a single patch");
  const count = side ** 2;
  const digit = { index: "patch", count, size: side } as const;
  return new SymbolicTensor({ kind: "patches", filters }, [
    pictures!,
    whole("channel", width),
    [{ ...digit, stride: side }],
    [{ ...digit, stride: 1 }],
  ]);
}

/** Channels times a matrix. */
function project(tensor: SymbolicTensor, weight: Constant): SymbolicTensor<Projected> {
  const of = tensor.unscaled();
  const [inputs, outputs] = weight.dims;
  if (
    weight.dims.length !== 2 || inputs !== tensor.dims.at(-1) ||
    !isWhole(tensor.axes.at(-1), "channel")
  ) {
    throw new UnsupportedModel(
      `${tensor} is multiplied by weights of shape ${formatShape(weight.dims)}`,
    );
  }
  const axes = tensor.axes.with(-1, whole("channel", outputs!));
  return new SymbolicTensor({ kind: "projection", of, weight }, axes);
}

/** query [.., token, channel of head] · key [.., channel of head, token], head by head. */
function scores(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  const [query, key] = [a.expression, b.expression] as [Linear, Linear];
  const [queries, within] = a.axes.slice(-2) as [Axis, Axis];
  const [keyWithin, keys] = b.axes.slice(-2) as [Axis, Axis];
  const before = a.axes.slice(0, -2);
  const fits = sameAxes(before, b.axes.slice(0, -2)) && isWhole(queries, "token") &&
    sameAxes([queries], [keys]) && sameAxes([within], [keyWithin]);
  const headWidth = widthWithinHead(within, before);
  if (!fits || headWidth === null) {
    throw new UnsupportedModel(
      `${a} and ${b} are multiplied, where a tower multiplies each head's queries and keys`,
    );
  }
  const axes = [...before, queries, whole("key", keys[0]!.count)];
  return new SymbolicTensor({ kind: "scores", query, key, headWidth }, axes, a.factor * b.factor);
}

/** shares [.., token, key] · value [.., token, channel of head], head by head. */
function mix(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
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
    throw new UnsupportedModel(
      `${a} and ${b} are multiplied, where a tower multiplies each head's shares and values`,
    );
  }
  return new SymbolicTensor({ kind: "attention", shares, value }, [...before, tokens, within]);
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
