import type { Context } from "hono";
import type { EntityService, FileItem } from "./entity_service.ts";

/**
 * An entity's bytes, or word that the client has them already.
 *
 * @throws {Problem} `entity_not_found`, where it was deleted just now
 */
export async function imageAnswer(
  c: Context,
  service: EntityService,
  item: FileItem,
): Promise<Response> {
  const etag = `"${item.sha256}"`;
  const validators = {
    "ETag": etag,
    "Last-Modified": new Date(item.updated_date).toUTCString(),
    // Deno would compress some types on the way, and drop the length with it.
    "Cache-Control": "no-cache, no-transform",
  };
  if (matches(c.req.header("If-None-Match"), etag)) return c.body(null, 304, validators);
  const headers = {
    ...validators,
    "Content-Type": item.mime_type,
    "Content-Length": String(item.file_size),
    // The type is what the bytes are; a browser is not to find another in them.
    "X-Content-Type-Options": "nosniff",
  };
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  return c.body(await service.read(item), 200, headers);
}

/** Weak comparison of RFC 9110, 13.1.2. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}
