/**
 * Writes a graph that was read, and perhaps changed since, as an ONNX file again.
 *
 * @module
 */
import { type Attribute, encodeModel, type Node, type Tensor } from "../../onnx.ts";
import type { OnnxAttribute, OnnxModel, OnnxTensor } from "../onnx/model.ts";

/** Attributes that are floats also where their value is whole. */
const FLOATS = ["alpha", "beta", "epsilon"];

const ZERO: OnnxTensor = { dims: [1], type: "FLOAT", data: Float32Array.of(0) };

/** @param output the only one that the file has */
export function graphFile(model: OnnxModel, output = model.outputs[0]!): Uint8Array {
  const initializers = new Map<string, Tensor>();
  for (const [name, tensor] of model.initializers) initializers.set(name, written(tensor));
  const nodes: Node[] = [];
  for (const { op, inputs, outputs, attributes } of model.nodes) {
    const value = attributes.get("value");
    if (op === "Constant") initializers.set(outputs[0]!, written(value as OnnxTensor));
    else if (op === "ConstantOfShape") {
      // The same without an attribute that is a tensor.
      const filling = `${outputs[0]} filling`;
      initializers.set(filling, written(value as OnnxTensor ?? ZERO));
      nodes.push({ op: "Expand", inputs: [filling, inputs[0]!], outputs: outputs.slice(0, 1) });
    } else {
      const written = [...attributes].map(([name, value]) => [name, attribute(name, value)]);
      nodes.push({
        op,
        inputs,
        outputs: outputs.slice(0, 1),
        attributes: Object.fromEntries(written),
      });
    }
  }
  const ports = model.inputs.map(({ name, dims }) => ({
    name,
    shape: dims.map((dim, axis) => dim ?? `open_${axis}`),
  }));
  return encodeModel({
    opset: model.opsets.get("")!,
    name: "graph",
    description: "",
    inputs: ports,
    outputs: [{ name: output, shape: ["n", "m"] }],
    nodes,
    initializers,
  });
}

function written({ dims, type, data }: OnnxTensor): Tensor {
  return type === "FLOAT"
    ? { dims, data: Float32Array.from(data!) }
    : { dims, data: BigInt64Array.from(Array.from(data!, BigInt)) };
}

function attribute(name: string, value: OnnxAttribute): Attribute {
  if (Array.isArray(value)) return { ints: value };
  return FLOATS.includes(name) ? { float: value as number } : { int: value as number };
}
