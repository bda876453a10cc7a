/**
 * An entity's bytes over HTTP: whole, in part, or word that the client has them already.
 *
 * @module
 */
import { create as contentDisposition } from "content-disposition";
import { takenAtPace } from "@fovea/http/pace";
import type { Context } from "hono";
import type { ByteRange } from "../blobs/blob_store.ts";
import type { FileItem } from "./file_metadata.ts";
import type { EntityService } from "./service.ts";
import { contentRange, readRange } from "../transfer/byte_range.ts";
import { downloadName } from "../transfer/file_name.ts";
import {
  cacheHeaders,
  isNotModified,
  rangeApplies,
  validatorsOf,
} from "../transfer/preconditions.ts";

/**
 * @param item at the version that is asked for
 * @throws {Problem} `entity_not_found`, where it was deleted just now; `precondition_failed`,
 * `range_not_satisfiable`
 */
export async function imageAnswer(
  c: Context,
  service: EntityService,
  item: FileItem,
): Promise<Response> {
  const request = c.req.raw;
  const size = item.file_size;
  const validators = validatorsOf(item.sha256, item.updated_date);
  const headers = cacheHeaders(validators);
  if (isNotModified(request.headers, validators)) return c.body(null, 304, headers);
  const whole = {
    ...headers,
    "Accept-Ranges": "bytes",
    "Content-Type": item.mime_type,
    "Content-Length": String(size),
    "Content-Disposition": contentDisposition(downloadName(item), { type: "inline" }),
    // The type is what the bytes are; a browser is not to find another in them.
    "X-Content-Type-Options": "nosniff",
  };
  if (request.method === "HEAD") return c.body(null, 200, whole);

  const range = rangeApplies(request.headers, validators) ? rangeOf(request, size) : null;
  if (range === null) return c.body(takenAtPace(request, await service.read(item)), 200, whole);
  return c.body(takenAtPace(request, await service.read(item, range)), 206, {
    ...whole,
    "Content-Length": String(range.end - range.start + 1),
    "Content-Range": contentRange(range, size),
  });
}

function rangeOf(request: Request, size: number): ByteRange | null {
  const header = request.headers.get("Range");
  return header === null ? null : readRange(header, size);
}
