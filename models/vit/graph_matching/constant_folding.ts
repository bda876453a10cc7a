/**
 * Arithmetic on constants, as exporters leave it in a graph: of shapes mostly, and of the scale of
 * attention.
 *
 * @module
 */
import type { OnnxAttribute, OnnxTensor } from "../onnx/model.ts";
import { axisOf, type Operators } from "./call.ts";
import { Constant } from "./constant.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** What is cast to, by TensorProto.DataType. */
const TYPES: Readonly<Record<number, string>> = { 1: "FLOAT", 6: "INT32", 7: "INT64" };

export const CONSTANT_FOLDING: Operators = {
  Constant(call) {
    const integers = call.list("value_ints");
    if (integers !== null) return Constant.integers([integers.length], integers);
    const integer = call.attribute("value_int");
    if (typeof integer === "number") return Constant.integers([], [integer]);
    const float = call.attribute("value_float");
    const value = typeof float === "number"
      ? { dims: [], type: "FLOAT", data: Float32Array.of(float) }
      : call.attribute("value");
    return Constant.of(tensorIn(value));
  },

  /** Zeros, unless it says otherwise. */
  ConstantOfShape(call) {
    const value = call.attribute("value") ?? { dims: [1], type: "FLOAT", data: Float32Array.of(0) };
    return Constant.of(tensorIn(value)).reshape([]).expand(call.integers(0));
  },

  Cast(call) {
    const type = TYPES[call.number("to")];
    if (type !== undefined) return call.constant(0).asType(type);
    throw new UnsupportedModel(
      `it casts to type ${call.number("to")}, where a tower has FLOAT (1)`,
    );
  },

  Concat(call) {
    const parts = Array.from({ length: call.inputCount }, (_, i) => call.constant(i));
    return Constant.concat(parts, axisOf(call.number("axis"), parts[0]!.dims.length));
  },

  Where: (call) => Constant.choose(call.constant(0), call.constant(1), call.constant(2)),

  /** Where one of the two is nothing but zeros or ones, the other is still known as the weight it is. */
  Add(call) {
    const [a, b] = [call.constant(0), call.constant(1)];
    if (a.isFilledWith(0)) return b.expand(a.dims);
    return b.isFilledWith(0) ? a.expand(b.dims) : a.zip(b, (x, y) => x + y);
  },
  Mul(call) {
    const [a, b] = [call.constant(0), call.constant(1)];
    if (a.isFilledWith(1)) return b.expand(a.dims);
    return b.isFilledWith(1) ? a.expand(b.dims) : a.zip(b, (x, y) => x * y);
  },
  Sub: (call) => call.constant(0).zip(call.constant(1), (a, b) => a - b),
  Div(call) {
    const [a, b] = [call.constant(0), call.constant(1)];
    return a.zip(b, a.isInteger ? (x, y) => Math.trunc(x / y) : (x, y) => x / y);
  },
  Pow: (call) => call.constant(0).zip(call.constant(1), Math.pow),
  Equal: (call) => call.constant(0).zip(call.constant(1), (a, b) => Number(a === b), "BOOL"),
  Sqrt: (call) => call.constant(0).map(Math.sqrt),
  Reciprocal: (call) => call.constant(0).map((value) => 1 / value),
  Floor: (call) => call.constant(0).map(Math.floor),
};

function tensorIn(value: OnnxAttribute | undefined): OnnxTensor {
  if (typeof value === "object" && value !== null && "data" in value) return value;
  throw new UnsupportedModel("its value is no tensor");
}
