/**
 * Reads the tensors of ONNX files.
 *
 * [note: aligned in place] A tensor's bytes begin anywhere in a file, and a Float32Array at multiples of
 * 4 only. Rather than copy most of the weights, they are moved down by up to 3 bytes within the file's
 * bytes, over their own tag and length, which have been read by then.
 *
 * @module
 */
import type { PbfReader } from "pbf";
import { UnsupportedModel } from "../unsupported_model.ts";
import type { OnnxTensor } from "./model.ts";
import { nameOfDataType } from "./enums.ts";
import { readEnd, readIntegers, readMessage } from "./protobuf.ts";

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** A tensor as it stands in the file: numbers are in the bytes, or in the list of their type. */
export interface TensorFields {
  name: string;
  dims: number[];
  type: number;
  bytes: Uint8Array | null;
  floats: number[];
  integers: number[];
  isExternal: boolean;
  externalFile: string;
}

export function newTensor(): TensorFields {
  return {
    name: "",
    dims: [],
    type: 0,
    bytes: null,
    floats: [],
    integers: [],
    isExternal: false,
    externalFile: "",
  };
}

/**
 * TensorProto { 1 dims, 2 data_type, 4 float_data, 5 int32_data, 7 int64_data, 8 name, 9 raw_data,
 * 10 double_data, 13 external_data, 14 data_location }
 */
export function readTensorField(field: number, tensor: TensorFields, pbf: PbfReader): void {
  if (field === 1) tensor.dims = readIntegers(tensor.dims, pbf);
  else if (field === 2) tensor.type = pbf.readVarint();
  else if (field === 4) readFloats(tensor, pbf);
  else if (field === 5 || field === 7) tensor.integers = readIntegers(tensor.integers, pbf);
  else if (field === 8) tensor.name = pbf.readString();
  else if (field === 9) tensor.bytes = readAligned(pbf);
  else if (field === 10) tensor.floats = pbf.readPackedDouble(tensor.floats);
  else if (field === 13) {
    const { key, value } = readMessage(readEntryField, { key: "", value: "" }, pbf);
    if (key === "location") tensor.externalFile = value;
  } else if (field === 14) tensor.isExternal = pbf.readVarint() === EXTERNAL;
}

/** StringStringEntryProto { 1 key, 2 value } */
function readEntryField(
  field: number,
  entry: { key: string; value: string },
  pbf: PbfReader,
): void {
  if (field === 1) entry.key = pbf.readString();
  else if (field === 2) entry.value = pbf.readString();
}

/** Packed ones are the same bytes as raw_data would be; protobuf allows them one by one as well. */
function readFloats(tensor: TensorFields, pbf: PbfReader): void {
  const isPacked = pbf.type === 2;
  if (isPacked) tensor.bytes = readAligned(pbf);
  else tensor.floats.push(pbf.readFloat());
}

/** @returns the bytes of the value that the reader has come to, in place: [note: aligned in place] */
function readAligned(pbf: PbfReader): Uint8Array {
  const tag = pbf.pos - 1;
  const end = readEnd(pbf);
  const begin = pbf.pos;
  pbf.pos = end;
  const shift = (pbf.buf.byteOffset + begin) % 4;
  if (begin - shift < tag) return pbf.buf.slice(begin, end); // one of less than 128 bytes
  pbf.buf.copyWithin(begin - shift, begin, end);
  return pbf.buf.subarray(begin - shift, end - shift);
}

/** @throws {UnsupportedModel} where the weights are in another file, or not as many as `dims` say */
export function tensorOf(tensor: TensorFields): OnnxTensor {
  const { name, dims } = tensor;
  if (tensor.isExternal) {
    throw new UnsupportedModel(
      `the weights "${name}" are in another file, "${tensor.externalFile}": only files that are whole can be read`,
    );
  }
  const type = nameOfDataType(tensor.type);
  const data = numbersOf(type, tensor);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (data !== null && data.length !== count) {
    throw new UnsupportedModel(
      `the tensor "${name}" of shape [${dims}] has ${data.length} numbers, not ${count}`,
    );
  }
  return { dims, type, data };
}

function numbersOf(
  type: string,
  { bytes, floats, integers }: TensorFields,
): OnnxTensor["data"] {
  switch (type) {
    case "FLOAT":
      return bytes === null ? Float32Array.from(floats) : floatsIn(bytes);
    case "DOUBLE":
      return bytes === null ? Float64Array.from(floats) : new Float64Array(bytes.slice().buffer);
    case "INT64":
      return bytes === null
        ? Float64Array.from(integers)
        : Float64Array.from(new BigInt64Array(bytes.slice().buffer), Number);
    case "INT32":
      return bytes === null
        ? Float64Array.from(integers)
        : Float64Array.from(new Int32Array(bytes.slice().buffer));
    case "BOOL":
      return Float64Array.from(bytes ?? integers);
    default:
      return null;
  }
}

function floatsIn({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}
