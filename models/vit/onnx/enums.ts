/**
 * The numbers that onnx.proto3 (https://github.com/onnx/onnx/blob/v1.15.0/onnx/onnx.proto3) gives to
 * kinds of things, for the reader and the writer of such files.
 *
 * @module
 */

/** TensorProto.DataType. */
export const DATA_TYPES = {
  UNDEFINED: 0,
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
} as const;

/** AttributeProto.AttributeType, as far as attributes of these kinds are read or written. */
export const ATTRIBUTE_TYPES = { FLOAT: 1, INT: 2, STRING: 3, INTS: 7 } as const;

/** The name of a data type, such as "FLOAT"; `type N` for one that is not known. */
export function nameOfDataType(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DATA_TYPES).map(([name, number]) => [number, name]),
);
