/**
 * The part of a file that a Range header asks for (RFC 9110, 14.2).
 *
 * @module
 */
import { Problem } from "@fovea/contract";
// @deno-types="@types/range-parser"
import parseRange from "range-parser";
import type { ByteRange } from "../blobs/blob_store.ts";

/**
 * @param size of the file, bytes, at least 1
 * @returns null where the header is to be passed over, as one that is malformed, in another unit than
 *   bytes or of several ranges: the whole file is the answer then
 * @throws {Problem} `range_not_satisfiable`
 */
export function readRange(header: string, size: number): ByteRange | null {
  const ranges = parseRange(size, clampSuffixes(header, size));
  if (ranges === -2) return null;
  if (ranges === -1) {
    throw new Problem(
      "range_not_satisfiable",
      `range is "${header.slice(0, 100)}": none of it lies in the file, which has ${size} bytes`,
      { file_size: size },
    );
  }
  const [first, second] = ranges;
  return ranges.type === "bytes" && second === undefined ? first ?? null : null;
}

/** `-500` of a file of 300 bytes is all of it (RFC 9110, 14.1.2); the parser would take it for none. */
function clampSuffixes(header: string, size: number): string {
  return header.replaceAll(
    /([=,]\s*)-(\d+)/g,
    (_, before, length) => `${before}-${Math.min(Number(length), size)}`,
  );
}

/** `bytes 0-9/300` */
export const contentRange = ({ start, end }: ByteRange, size: number): string =>
  `bytes ${start}-${end}/${size}`;
