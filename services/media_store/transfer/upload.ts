/**
 * Takes in a form: multipart, whose file goes to the disk as it arrives, whatever its size, and is
 * digested on the way; or urlencoded, which has no file.
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
import { keepPace, UPLOAD_PACE } from "@fovea/http/pace";

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

export interface FormOptions {
  /** Names of the fields that are wanted. */
  fields: readonly string[];
  /** All files of a form together may have so many bytes. */
  maxFileBytes: number;
  /** Makes the blob that a file is written to. */
  begin: () => Promise<NewBlob>;
  /** At which the form has to come. */
  pace?: typeof UPLOAD_PACE;
}

/** Names of the field that a file may come under. */
const FILE_FIELDS = ["image", "file"];

const MAX_FIELDS = 32;
const MAX_FIELD_BYTES = 64 * 1024;
/** A form may have so many parts: its fields, its file, and what is neither and is passed over. */
const MAX_PARTS = 2 * MAX_FIELDS;

const FORM_TYPES = /^(multipart\/form-data|application\/x-www-form-urlencoded)\s*(;|$)/i;

/**
 * Receives the fields and the file that are wanted; whatever else the form has is passed over.
 *
 * @throws {Problem} `malformed_body`, `invalid_parameter`, `missing_file`, `unexpected_file`,
 * `empty_file`, `upload_too_large`, `upload_stalled`, `storage_full`; nothing of the upload is left
 * then
 */
export async function receiveForm(request: Request, options: FormOptions): Promise<Form> {
  const { maxFileBytes, begin, pace = UPLOAD_PACE } = options;
  const parser = parserOf(request);
  const fields = new Map<string, string>();
  await using received = new AsyncDisposableStack();
  const streams: Readable[] = [];
  let file: Promise<ReceivedFile | null> | undefined;
  let fileBytes = 0;
  let fault: Error | undefined;

  const fail = (error: Error) => {
    fault ??= error;
    parser.destroy(error);
  };
  parser.on("file", (field: string | undefined, part, info: { filename?: string }) => {
    streams.push(part);
    // Whatever ends a part early is reported by the parser; unheard here, it would end the process.
    part.on("error", () => {});
    if (!FILE_FIELDS.includes(field ?? "")) return passOver(part).catch(fail);
    if (file !== undefined) {
      return fail(new Problem("unexpected_file", "form has more than one file"));
    }
    file = receiveFile(part, displayName(info.filename ?? ""));
    file.catch(fail);
  });
  parser.on("field", (name: string | undefined, value, info) => {
    if (name === undefined) return;
    if (FILE_FIELDS.includes(name) && value !== "") return fail(fileAsText(name));
    if (!options.fields.includes(name)) return;
    const refuse = (why: string) =>
      fail(new Problem("invalid_parameter", `field "${name}" ${why}`));
    if (fields.has(name)) refuse("comes twice");
    else if (info.valueTruncated) refuse(`is over ${MAX_FIELD_BYTES} bytes`);
    else fields.set(name, value);
  });
  parser.on("fieldsLimit", () => {
    fail(new Problem("invalid_parameter", `form has more than ${MAX_FIELDS} fields`));
  });
  parser.on("partsLimit", () => {
    fail(new Problem("invalid_parameter", `form has more than ${MAX_PARTS} parts`));
  });

  /** The bytes of a part, counted; all of them are read, or the form would stand still. */
  async function* counted(part: Readable): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for await (const bytes of bytesOf(part)) {
      fileBytes += bytes.length;
      if (fileBytes > maxFileBytes) {
        throw new Problem(
          "upload_too_large",
          `file is larger than ${maxFileBytes} bytes, the most that is taken`,
        );
      }
      yield bytes;
      release(bytes);
    }
  }

  async function passOver(part: Readable): Promise<void> {
    for await (const _ of counted(part)) { /* nobody wants them */ }
  }

  async function receiveFile(part: Readable, name: string): Promise<ReceivedFile | null> {
    const blob = received.use(await begin());
    for await (const bytes of counted(part)) await blob.write(bytes);
    // What a browser sends where nothing was chosen.
    if (blob.size === 0 && name === "") return null;
    // What the bytes are is found out while they go to the disk.
    return { ...blob.seal(), blob, name };
  }

  const body = request.body!.getReader();
  try {
    await pipeline(keepPace(body, pace), parser);
  } catch (error) {
    for (const stream of streams) stream.destroy();
    await file?.catch(fail);
    // What is still coming is for the app to discard.
    body.releaseLock();
    if (fault !== undefined || error instanceof Problem) throw fault ?? error;
    throw unreadable(error as Error);
  }
  const whole = await file ?? null;
  if (whole?.size === 0) throw new Problem("empty_file", `file "${whole.name}" has no bytes`);
  const kept = received.move();
  return { fields, file: whole, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function parserOf(request: Request): busboy.Busboy {
  const type = request.headers.get("Content-Type");
  if (type === null || !FORM_TYPES.test(type)) {
    throw new Problem(
      "malformed_body",
      `body is ${type ?? "of no named type"}: a form is expected, as multipart/form-data, or ` +
        "without a file as application/x-www-form-urlencoded",
    );
  }
  if (request.body === null) throw new Problem("malformed_body", "form is empty");
  try {
    return busboy({
      headers: { "content-type": type },
      defParamCharset: "utf8",
      limits: { fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, parts: MAX_PARTS },
    });
  } catch (error) {
    throw unreadable(error as Error);
  }
}

/** A part without a file name is a text field (RFC 7578, 4.2): no program means to send a file so. */
function fileAsText(name: string): Problem {
  return new Problem(
    "missing_file",
    `${name} came as text: send it as a part of multipart/form-data that has a file name`,
  );
}

/** In the parser's own words it would be known only to those who know that. */
function unreadable({ message }: Error): Problem {
  const why = /boundary not found/i.test(message)
    ? "its Content-Type names no boundary"
    : /unexpected end/i.test(message)
    ? "it breaks off before its end"
    : "the header of a part is malformed";
  return new Problem("malformed_body", `form can't be read: ${why}`);
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
