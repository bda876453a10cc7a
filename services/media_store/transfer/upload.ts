/**
 * Takes in a multipart form: its file goes to the disk as it arrives, whatever its size, and is
 * digested on the way.
 *
 * @module
 */
// @deno-types="@types/busboy"
import busboy from "busboy";
import { Problem } from "@fovea/contract";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Digests, NewBlob } from "../blobs/new_blob.ts";
import { displayName } from "./file_name.ts";
import { keepPace, UPLOAD_PACE } from "./pace.ts";

export interface ReceivedFile extends Digests {
  /** Holds the bytes, and removes them unless they are kept. */
  blob: NewBlob;
  /** What the uploader calls it, fit to be shown; only good for messages. */
  name: string;
}

/** A form that was received. Disposing of it removes what nobody kept. */
export interface Form extends AsyncDisposable {
  fields: Map<string, string>;
  file: ReceivedFile | null;
}

/** Names of the field that a file may come under. */
const FILE_FIELDS = ["image", "file"];

const MAX_FIELDS = 32;
const MAX_FIELD_BYTES = 64 * 1024;
/** With the file, and what is neither field nor file and passed over. */
const MAX_PARTS = 2 * MAX_FIELDS;

/**
 * @param begin makes the blob that a file is written to
 * @param pace at which the form has to come
 * @throws {Problem} `malformed_body`, `invalid_parameter`, `missing_file`, `unexpected_file`,
 * `empty_file`, `upload_too_large`, `upload_stalled`, `storage_full`; nothing of the upload is left
 * then
 */
export async function receiveForm(
  request: Request,
  maxFileBytes: number,
  begin: () => Promise<NewBlob>,
  pace = UPLOAD_PACE,
): Promise<Form> {
  const parser = parserOf(request);
  const fields = new Map<string, string>();
  await using received = new AsyncDisposableStack();
  let stream: Readable | undefined;
  let file: Promise<ReceivedFile | null> | undefined;
  let fault: Error | undefined;

  const fail = (error: Error) => {
    fault ??= error;
    parser.destroy(error);
  };
  parser.on("file", (field: string | undefined, part, info: { filename?: string }) => {
    stream = part;
    // Whatever ends a part early is reported by the parser; unheard here, it would end the process.
    part.on("error", () => {});
    file = receiveFile(field, part, displayName(info.filename ?? ""));
    file.catch(fail);
  });
  parser.on("field", (name: string | undefined, value, info) => {
    const refuse = (why: string) =>
      fail(new Problem("invalid_parameter", `field "${displayName(name ?? "")}" ${why}`));
    if (name === undefined) refuse("has no name");
    else if (fields.has(name)) refuse("comes twice");
    else if (info.valueTruncated) refuse(`is over ${MAX_FIELD_BYTES} bytes`);
    else fields.set(name, value);
  });
  parser.on("fieldsLimit", () => {
    fail(new Problem("invalid_parameter", `form has more than ${MAX_FIELDS} fields`));
  });
  parser.on("partsLimit", () => {
    fail(new Problem("invalid_parameter", `form has more than ${MAX_PARTS} parts`));
  });
  parser.on("filesLimit", () => {
    fail(new Problem("unexpected_file", "form has more than one file"));
  });

  async function receiveFile(
    field: string | undefined,
    part: Readable,
    name: string,
  ): Promise<ReceivedFile | null> {
    if (field === undefined || !FILE_FIELDS.includes(field)) {
      const came = field === undefined ? "without a name" : `as field "${displayName(field)}"`;
      throw new Problem("missing_file", `file came ${came}: send it as "image"`);
    }
    const blob = received.use(await begin());
    for await (const bytes of bytesOf(part)) {
      if (blob.size + bytes.length > maxFileBytes) {
        throw new Problem(
          "upload_too_large",
          `file is larger than ${maxFileBytes} bytes, the most that is taken`,
        );
      }
      await blob.write(bytes);
      release(bytes);
    }
    // What a browser sends where nothing was chosen.
    if (blob.size === 0 && name === "") return null;
    return { ...await blob.finish(), blob, name };
  }

  const body = request.body!.getReader();
  try {
    await pipeline(keepPace(body, pace), parser);
  } catch (error) {
    stream?.destroy();
    await file?.catch(fail);
    // What is still coming is for the app to discard.
    body.releaseLock();
    if (fault !== undefined || error instanceof Problem) throw fault ?? error;
    throw new Problem("malformed_body", `form can't be read: ${(error as Error).message}`);
  }
  const whole = await file ?? null;
  if (whole?.size === 0) throw new Problem("empty_file", `file "${whole.name}" has no bytes`);
  const kept = received.move();
  return { fields, file: whole, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function parserOf(request: Request): busboy.Busboy {
  const type = request.headers.get("Content-Type");
  if (!type?.toLowerCase().startsWith("multipart/form-data") || request.body === null) {
    throw new Problem(
      "malformed_body",
      `body is ${type ?? "of no named type"}: a form is expected, as multipart/form-data`,
    );
  }
  try {
    return busboy({
      headers: { "content-type": type },
      defParamCharset: "utf8",
      limits: { files: 1, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, parts: MAX_PARTS },
    });
  } catch (error) {
    throw new Problem("malformed_body", `form can't be read: ${(error as Error).message}`);
  }
}

/** The bytes of a part, up to where the form breaks off: that is for the form's reader to report. */
async function* bytesOf(part: Readable): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    yield* part;
  } catch {
    return;
  }
}

/**
 * Gives back the memory of bytes that nobody will read again, where nobody else has a part of it: a
 * large file would else fill tens of megabytes before the garbage collector sees a reason to come.
 */
function release({ byteLength, buffer }: Uint8Array<ArrayBuffer>): void {
  if (byteLength === buffer.byteLength) buffer.transfer(0);
}
