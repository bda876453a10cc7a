/**
 * What pbf leaves to its callers: that a message is as long as it says, no longer and no shorter.
 *
 * @module
 */
import type { PbfReader } from "pbf";

/**
 * Reads an embedded message.
 *
 * @returns `result`, filled in
 * @throws {Error} where the message's end is not that of its last field, or beyond the file's
 */
export function readMessage<T>(
  readField: (field: number, result: T, pbf: PbfReader) => void,
  result: T,
  pbf: PbfReader,
): T {
  const end = readEnd(pbf);
  pbf.readFields(readField, result, end);
  if (pbf.pos !== end) throw new Error("a message is longer than it says");
  return result;
}

/** @returns where the length-delimited value ends that the reader has come to */
export function readEnd(pbf: PbfReader): number {
  const length = pbf.readVarint();
  const end = pbf.pos + length;
  if (!(end <= pbf.length)) throw new Error("a field is longer than the file");
  return end;
}

/** Signed integers of one field, packed or one by one, added to those `before`. */
export function readIntegers(before: number[], pbf: PbfReader): number[] {
  return pbf.readPackedVarint(before, true);
}
