/**
 * The parts of a file that a Range header asks for (RFC 9110, 14.2), and the body that holds several
 * of them (14.6).
 *
 * @module
 */
import { Problem } from "@fovea/contract";
// @deno-types="@types/range-parser"
import parseRange from "range-parser";

/** Bytes of a file, from 0, the last one included. */
export interface ByteRange {
  start: number;
  end: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Each part costs an open file and headers of its own: more of them only serve to cause work. */
const MAX_PARTS = 16;

/**
 * Overlapping and adjacent parts become one, in the order in which they were first asked for.
 *
 * @param size of the file, bytes, at least 1
 * @returns null where the header is to be passed over, as one that is malformed, in another unit than
 *   bytes or of more than 16 parts: the whole file is the answer then
 * @throws {Problem} `range_not_satisfiable`
 */
export function readRanges(header: string, size: number): ByteRange[] | null {
  const ranges = parseRange(size, clampSuffixes(header, size), { combine: true });
  if (ranges === -2) return null;
  if (ranges === -1) {
    throw new Problem(
      "range_not_satisfiable",
      `range is "${header.slice(0, 100)}": none of it lies in the file, which has ${size} bytes`,
      { file_size: size },
    );
  }
  return ranges.type === "bytes" && ranges.length <= MAX_PARTS ? [...ranges] : null;
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

/** A body of several parts. */
export interface Multipart {
  contentType: string;
  /** Bytes. */
  length: number;
  body: ReadableStream<Bytes>;
}

/**
 * Puts parts of a file together as `multipart/byteranges`.
 *
 * @param parts in the order in which they are sent, each with its bytes
 * @param mimeType of the file
 * @param size of the file, bytes
 */
export function multipartOf(
  parts: { range: ByteRange; bytes: ReadableStream<Bytes> }[],
  mimeType: string,
  size: number,
): Multipart {
  const boundary = crypto.randomUUID();
  const text = new TextEncoder();
  const heads = parts.map(({ range }) =>
    text.encode(
      `\r\n--${boundary}\r\nContent-Type: ${mimeType}\r\n` +
        `Content-Range: ${contentRange(range, size)}\r\n\r\n`,
    )
  );
  const tail = text.encode(`\r\n--${boundary}--\r\n`);

  async function* body(): AsyncGenerator<Bytes> {
    for (const [i, { bytes }] of parts.entries()) {
      yield heads[i]!;
      yield* bytes;
    }
    yield tail;
  }
  const sent = parts.map(({ range }, i) => heads[i]!.length + range.end - range.start + 1);
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    length: sent.reduce((sum, length) => sum + length, tail.length),
    body: streamOf(body(), async () => {
      for (const { bytes } of parts) if (!bytes.locked) await bytes.cancel();
    }),
  };
}

/** @param abandon called where a client goes away before the end, even before the first byte */
function streamOf(source: AsyncGenerator<Bytes>, abandon: () => Promise<void>) {
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return(undefined);
      await abandon();
    },
  }, { highWaterMark: 0 });
}
