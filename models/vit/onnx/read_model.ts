/**
 * Reads ONNX files: the messages of onnx.proto3
 * (https://github.com/onnx/onnx/blob/v1.15.0/onnx/onnx.proto3). Field numbers are told beside each use.
 *
 * @module
 */
import { PbfReader } from "pbf";
import { UnsupportedModel } from "../unsupported_model.ts";
import { ATTRIBUTE_TYPES } from "./enums.ts";
import { readIntegers, readMessage } from "./protobuf.ts";
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxPort } from "./model.ts";
import { newTensor, readTensorField, tensorOf } from "./read_tensor.ts";

/**
 * Reads a model without copying its weights: they stay where they are in the file's bytes.
 *
 * @param bytes of an ONNX file; they are the model's from here on, see [note: aligned in place]
 * @throws {UnsupportedModel} where it is cut off, is no ONNX file, or has weights in other files
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  const model = {
    opsets: new Map<string, number>(),
    nodes: [],
    initializers: new Map(),
    inputs: [],
    outputs: [],
    hasGraph: false,
  } satisfies ModelFields;
  try {
    const pbf = new PbfReader(bytes);
    pbf.readFields(readModelField, model as ModelFields);
    if (pbf.pos !== pbf.length) throw new Error("the last field is not whole");
  } catch (error) {
    if (error instanceof UnsupportedModel) throw error;
    throw new UnsupportedModel("the file is no ONNX file, or cut off", { cause: error });
  }
  if (!model.hasGraph) throw new UnsupportedModel("the file is no ONNX file: there is no graph");
  return withoutFedInitializers(model);
}

type ModelFields = OnnxModel & { hasGraph: boolean };

/** Before IR version 4 every initializer was an input as well. */
function withoutFedInitializers({ opsets, nodes, initializers, inputs, outputs }: OnnxModel) {
  const fed = inputs.filter(({ name }) => !initializers.has(name));
  return { opsets, nodes, initializers, inputs: fed, outputs };
}

/** ModelProto { 7 graph, 8 opset_import } */
function readModelField(field: number, model: ModelFields, pbf: PbfReader): void {
  if (field === 7) {
    model.hasGraph = true;
    readMessage(readGraphField, model, pbf);
  } else if (field === 8) {
    const { domain, version } = readMessage(readOpsetField, { domain: "", version: 0 }, pbf);
    model.opsets.set(withoutAlias(domain), version);
  }
}

/** OperatorSetIdProto { 1 domain, 2 version } */
function readOpsetField(
  field: number,
  opset: { domain: string; version: number },
  pbf: PbfReader,
): void {
  if (field === 1) opset.domain = pbf.readString();
  else if (field === 2) opset.version = pbf.readVarint(true);
}

/** GraphProto { 1 node, 5 initializer, 11 input, 12 output, 15 sparse_initializer } */
function readGraphField(field: number, model: OnnxModel, pbf: PbfReader): void {
  if (field === 1) {
    const node = { op: "", domain: "", inputs: [], outputs: [], attributes: new Map() };
    model.nodes.push(readMessage<OnnxNode>(readNodeField, node, pbf));
  } else if (field === 5) {
    const fields = readMessage(readTensorField, newTensor(), pbf);
    if (model.initializers.has(fields.name)) {
      throw new UnsupportedModel(`it has the weights "${fields.name}" twice`);
    }
    model.initializers.set(fields.name, tensorOf(fields));
  } else if (field === 11) {
    model.inputs.push(readMessage<OnnxPort>(readPortField, { name: "", dims: [] }, pbf));
  } else if (field === 12) {
    model.outputs.push(readMessage(readPortField, { name: "", dims: [] }, pbf).name);
  } else if (field === 15) {
    throw new UnsupportedModel("it has sparse weights");
  }
}

/** NodeProto { 1 input, 2 output, 4 op_type, 5 attribute, 7 domain } */
function readNodeField(field: number, node: OnnxNode, pbf: PbfReader): void {
  if (field === 1) node.inputs.push(pbf.readString());
  else if (field === 2) node.outputs.push(pbf.readString());
  else if (field === 4) node.op = pbf.readString();
  else if (field === 7) node.domain = withoutAlias(pbf.readString());
  else if (field === 5) {
    const attribute: AttributeFields = { name: "", value: null };
    const { name, value } = readMessage(readAttributeField, attribute, pbf);
    node.attributes.set(name, value);
  }
}

/** "ai.onnx" is another name of the default domain. */
function withoutAlias(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

interface AttributeFields {
  name: string;
  value: OnnxAttribute;
}

/** What is meant by AttributeProto.AttributeType where no value is written, as proto3 does with 0. */
const UNWRITTEN: Readonly<Record<number, number | string | number[]>> = {
  [ATTRIBUTE_TYPES.FLOAT]: 0,
  [ATTRIBUTE_TYPES.INT]: 0,
  [ATTRIBUTE_TYPES.STRING]: "",
  [ATTRIBUTE_TYPES.INTS]: [],
};

/** AttributeProto { 1 name, 2 f, 3 i, 4 s, 5 t, 8 ints, 20 type }: the one of its kind is set */
function readAttributeField(field: number, attribute: AttributeFields, pbf: PbfReader): void {
  if (field === 1) attribute.name = pbf.readString();
  else if (field === 2) attribute.value = pbf.readFloat();
  else if (field === 3) attribute.value = pbf.readVarint(true);
  else if (field === 4) attribute.value = pbf.readString();
  else if (field === 5) {
    attribute.value = tensorOf(readMessage(readTensorField, newTensor(), pbf));
  } else if (field === 8) {
    const before = Array.isArray(attribute.value) ? attribute.value : [];
    attribute.value = readIntegers(before, pbf);
  } else if (field === 20) attribute.value ??= UNWRITTEN[pbf.readVarint()] ?? null;
}

/** ValueInfoProto { 1 name, 2 type: TypeProto { 1 tensor_type: Tensor { 2 shape: { 1 dim } } } } */
function readPortField(field: number, port: OnnxPort, pbf: PbfReader): void {
  if (field === 1) port.name = pbf.readString();
  else if (field === 2) readMessage(readTypeField, port, pbf);
}

function readTypeField(field: number, port: OnnxPort, pbf: PbfReader): void {
  if (field === 1) readMessage(readTensorTypeField, port, pbf);
}

function readTensorTypeField(field: number, port: OnnxPort, pbf: PbfReader): void {
  if (field === 2) readMessage(readShapeField, port, pbf);
}

function readShapeField(field: number, port: OnnxPort, pbf: PbfReader): void {
  if (field === 1) {
    port.dims.push(readMessage(readDimensionField, { size: null as number | null }, pbf).size);
  }
}

/** Dimension { 1 dim_value, 2 dim_param }; exporters write 0 or −1 for an open one, too. */
function readDimensionField(field: number, dim: { size: number | null }, pbf: PbfReader): void {
  if (field === 1) {
    const size = pbf.readVarint(true);
    dim.size = size > 0 ? size : null;
  }
}
