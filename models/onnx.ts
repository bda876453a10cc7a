/**
 * Writes ONNX files: the messages of onnx.proto3 (https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto3),
 * as far as graphs over float tensors, and the integers these are quantised to, need them.
 *
 * @module
 */
import { ATTRIBUTE_TYPES, DATA_TYPES } from "@fovea/vit/onnx/enums";
import { PbfWriter } from "pbf";

/** Named weights or constants. */
export interface Tensor {
  /** None for a scalar. */
  dims: number[];
  /** Row by row. */
  data: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer> | Int8Array<ArrayBuffer>;
}

export type Attribute = { int: number } | { float: number } | { ints: number[] };

export interface Node {
  op: string;
  inputs: string[];
  /** At least one, by which the node is called, too. */
  outputs: string[];
  attributes?: Record<string, Attribute>;
}

/** A tensor that goes in or out; a name in its shape stands for a size known only at run time. */
export interface Port {
  name: string;
  shape: (number | string)[];
  /** Of its elements; float unless said. */
  type?: "float" | "int64";
}

export interface Model {
  /** The version of the default operator set; its operators are the only ones. */
  opset: number;
  name: string;
  description: string;
  inputs: Port[];
  outputs: Port[];
  /** In an order in which each finds its inputs made. */
  nodes: Node[];
  initializers: Map<string, Tensor>;
}

/** ModelProto.ir_version that goes with opsets 15 to 18 (ONNX 1.10 to 1.13). */
const IR_VERSION = 8;
export const { FLOAT } = DATA_TYPES;
const { INT8, INT64 } = DATA_TYPES;

/** @returns the bytes of the file, the same for the same model */
export function encodeModel(model: Model): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, "fovea"); // producer_name
  pbf.writeStringField(6, model.description); // doc_string
  pbf.writeMessage(7, writeGraph, model);
  pbf.writeMessage(8, writeOperatorSet, model.opset);
  return pbf.finish();
}

function writeOperatorSet(version: number, pbf: PbfWriter): void {
  pbf.writeStringField(1, ""); // domain: the default one
  pbf.writeVarintField(2, version);
}

function writeGraph(model: Model, pbf: PbfWriter): void {
  for (const node of model.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, model.name);
  for (const initializer of model.initializers) pbf.writeMessage(5, writeTensor, initializer);
  for (const port of model.inputs) pbf.writeMessage(11, writeValueInfo, port);
  for (const port of model.outputs) pbf.writeMessage(12, writeValueInfo, port);
}

function writeNode(node: Node, pbf: PbfWriter): void {
  for (const input of node.inputs) pbf.writeStringField(1, input);
  for (const output of node.outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, node.outputs[0]!);
  pbf.writeStringField(4, node.op);
  for (const attribute of Object.entries(node.attributes ?? {})) {
    pbf.writeMessage(5, writeAttribute, attribute);
  }
}

function writeAttribute([name, value]: [string, Attribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if ("float" in value) {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, ATTRIBUTE_TYPES.FLOAT);
  } else if ("int" in value) {
    pbf.writeVarintField(3, value.int);
    pbf.writeVarintField(20, ATTRIBUTE_TYPES.INT);
  } else {
    for (const int of value.ints) pbf.writeVarintField(8, int);
    pbf.writeVarintField(20, ATTRIBUTE_TYPES.INTS);
  }
}

function writeTensor([name, tensor]: [string, Tensor], pbf: PbfWriter): void {
  for (const dim of tensor.dims) pbf.writeVarintField(1, dim);
  pbf.writeVarintField(2, elementType(tensor));
  pbf.writeStringField(8, name);
  // raw_data is little-endian, as is every machine that Deno runs on.
  const { buffer, byteOffset, byteLength } = tensor.data;
  pbf.writeBytesField(9, new Uint8Array(buffer, byteOffset, byteLength));
}

function elementType({ data }: Tensor): number {
  if (data instanceof Float32Array) return FLOAT;
  return data instanceof Int8Array ? INT8 : INT64;
}

/** ValueInfoProto { name, type: TypeProto { tensor_type: Tensor { elem_type, shape } } } */
function writeValueInfo(port: Port, pbf: PbfWriter): void {
  pbf.writeStringField(1, port.name);
  pbf.writeMessage(2, writeType, port);
}

function writeType(port: Port, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, port);
}

function writeTensorType(port: Port, pbf: PbfWriter): void {
  pbf.writeVarintField(1, port.type === "int64" ? INT64 : FLOAT);
  pbf.writeMessage(2, writeShape, port.shape);
}

function writeShape(shape: (number | string)[], pbf: PbfWriter): void {
  for (const dim of shape) pbf.writeMessage(1, writeDimension, dim);
}

function writeDimension(dim: number | string, pbf: PbfWriter): void {
  if (typeof dim === "number") pbf.writeVarintField(1, dim);
  else pbf.writeStringField(2, dim);
}
