/**
 * The operators that move numbers and compute none, for constants and symbolic tensors alike
 * (https://github.com/onnx/onnx/blob/v1.15.0/docs/Operators.md).
 *
 * @module
 */
import { formatShape } from "./axes.ts";
import { axisOf, type Operators, type Value } from "./call.ts";
import { Constant, product } from "./constant.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** How exporters write that a slice goes to the end: INT32_MAX or INT64_MAX. */
const TO_THE_END = 2 ** 31 - 1;

export const SHAPE_OPERATORS: Operators = {
  Identity: (call) => call.value(0),

  Shape(call) {
    const { dims } = call.value(0);
    const bound = (name: string, otherwise: number) => {
      const at = call.number(name, otherwise);
      return Math.min(Math.max(at < 0 ? at + dims.length : at, 0), dims.length);
    };
    const asked = dims.slice(bound("start", 0), bound("end", dims.length));
    return Constant.integers([asked.length], asked);
  },

  Reshape(call) {
    const { dims } = call.value(0);
    const asked = call.integers(1);
    if (asked.includes(0)) call.require("allowzero", 0);
    else call.attribute("allowzero"); // says what 0 means
    return call.value(0).reshape(fittingShape(dims, asked));
  },

  Flatten(call) {
    const { dims } = call.value(0);
    const asked = call.number("axis", 1);
    const axis = asked < 0 ? asked + dims.length : asked;
    return call.value(0).reshape([product(dims.slice(0, axis)), product(dims.slice(axis))]);
  },

  Transpose(call) {
    const { dims } = call.value(0);
    const perm = call.list("perm") ?? dims.map((_, axis) => axis).reverse();
    if (perm.toSorted((a, b) => a - b).join() !== [...dims.keys()].join()) {
      throw new UnsupportedModel(`its perm is [${perm}] for a tensor of rank ${dims.length}`);
    }
    return call.value(0).transpose(perm);
  },

  Unsqueeze(call) {
    const { dims } = call.value(0);
    const added = call.axes(1) ?? [];
    const rank = dims.length + added.length;
    const at = new Set(added.map((axis) => axisOf(axis, rank)));
    const left = [...dims];
    const shape = Array.from({ length: rank }, (_, axis) => at.has(axis) ? 1 : left.shift()!);
    return call.value(0).reshape(shape);
  },

  Squeeze(call) {
    const { dims } = call.value(0);
    const asked = call.axes(1)?.map((axis) => axisOf(axis, dims.length));
    // reshape refuses to drop an axis that is longer than 1.
    const stays = (dim: number, axis: number) => asked ? !asked.includes(axis) : dim !== 1;
    return call.value(0).reshape(dims.filter(stays));
  },

  Slice(call) {
    const [starts, ends] = [call.integers(1), call.integers(2)];
    const axes = call.has(3) ? call.integers(3) : starts.map((_, i) => i);
    const steps = call.has(4) ? call.integers(4) : starts.map(() => 1);
    return axes.reduce<Value>((value, asked, i) => {
      if (steps[i] !== 1) throw new UnsupportedModel(`it takes steps of ${steps[i]}`);
      const axis = axisOf(asked, value.dims.length);
      const size = value.dims[axis]!;
      const start = elementOf(starts[i]!, size);
      const end = ends[i]! >= TO_THE_END ? size : elementOf(ends[i]!, size);
      return value.slice(axis, start, checkedCount(end - start));
    }, call.value(0));
  },

  Split(call) {
    const value = call.value(0);
    const axis = axisOf(call.number("axis", 0), value.dims.length);
    const parts = call.number("num_outputs", call.outputCount);
    const sizes = call.has(1)
      ? call.integers(1)
      : call.list("split") ?? Array(parts).fill(value.dims[axis]! / parts);
    if (sizes.length !== call.outputCount || !sizes.every(Number.isInteger)) {
      throw new UnsupportedModel(`it splits ${value.dims[axis]} into ${call.outputCount}`);
    }
    let start = 0;
    return sizes.map((size) => {
      start += size;
      return value.slice(axis, start - size, checkedCount(size));
    });
  },

  /** One element of an axis, or several in a row. */
  Gather(call) {
    const value = call.value(0);
    const axis = axisOf(call.number("axis", 0), value.dims.length);
    const indices = call.constant(1);
    const [first = 0, ...more] = indices.numbers().map((at) => axisOf(at, value.dims[axis]!));
    if (more.some((at, i) => at !== first + i + 1)) {
      throw new UnsupportedModel("it takes elements that are not in a row");
    }
    const taken = value.slice(axis, first, checkedCount(more.length + 1));
    return taken.reshape(value.dims.toSpliced(axis, 1, ...indices.dims));
  },

  Expand(call) {
    return call.constant(0).expand(call.integers(1));
  },
};

/** 0 keeps a dimension, −1 takes what is left. */
function fittingShape(dims: readonly number[], asked: readonly number[]): number[] {
  const shape = asked.map((dim, axis) => dim === 0 ? dims[axis]! : dim);
  const left = product(dims) / product(shape.filter((dim) => dim !== -1));
  const fitting = shape.map((dim) => dim === -1 ? left : dim);
  if (product(fitting) !== product(dims) || fitting.some((dim) => !Number.isInteger(dim))) {
    throw new UnsupportedModel(`the shape ${formatShape(dims)} can't become [${asked}]`);
  }
  return fitting;
}

/** Counts from the end where it is negative; up to `size` itself, where a slice ends. */
function elementOf(at: number, size: number): number {
  const element = at < 0 ? at + size : at;
  if (element >= 0 && element <= size) return element;
  throw new UnsupportedModel(`there is no element ${at} in an axis of ${size}`);
}

function checkedCount(count: number): number {
  if (count >= 1) return count;
  throw new UnsupportedModel("it takes nothing");
}
