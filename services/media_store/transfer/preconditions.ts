/**
 * What a client has already, and what it makes its request depend on: the conditional headers of
 * RFC 9110, 13.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
// @deno-types="@types/fresh"
import fresh from "fresh";

/** What tells one state of a resource from another. */
export interface Validators {
  /** Strong, with its quotes. */
  etag: string;
  /** When it was changed, in whole seconds, as HTTP writes dates. */
  lastModified: string;
}

/** @param modified ms since the epoch */
export function validatorsOf(etag: string, modified: number): Validators {
  return { etag: `"${etag}"`, lastModified: new Date(modified).toUTCString() };
}

/** Lets a client keep the answer and ask whether it still holds. */
export function cacheHeaders({ etag, lastModified }: Validators): Record<string, string> {
  return {
    "ETag": etag,
    "Last-Modified": lastModified,
    // Deno would compress some types on the way, and drop the length with it.
    "Cache-Control": "no-cache, no-transform",
  };
}

/**
 * Holds a GET or HEAD against what is there, in the order of RFC 9110, 13.2.2.
 *
 * @returns whether the client has it already: 304
 * @throws {Problem} `precondition_failed`: 412
 */
export function isNotModified(headers: Headers, { etag, lastModified }: Validators): boolean {
  const ifMatch = headers.get("If-Match");
  const ifUnmodifiedSince = headers.get("If-Unmodified-Since");
  if (ifMatch !== null) {
    const tags = ifMatch.split(",").map((tag) => tag.trim());
    if (!tags.includes("*") && !tags.includes(etag)) {
      throw new Problem(
        "precondition_failed",
        `If-Match is ${ifMatch}: the file's ETag is ${etag}`,
      );
    }
  } else if (ifUnmodifiedSince !== null && isLater(lastModified, ifUnmodifiedSince)) {
    throw new Problem(
      "precondition_failed",
      `If-Unmodified-Since is ${ifUnmodifiedSince}: it was modified ${lastModified}`,
    );
  }
  return fresh({
    "if-none-match": headers.get("If-None-Match") ?? undefined,
    "if-modified-since": headers.get("If-Modified-Since") ?? undefined,
  }, { etag, "last-modified": lastModified });
}

/** Whether a Range header counts: the rest of another state would not fit to what the client has. */
export function rangeApplies(headers: Headers, { etag, lastModified }: Validators): boolean {
  const ifRange = headers.get("If-Range");
  return ifRange === null || ifRange === etag || ifRange === lastModified;
}

/** False where either is no date. */
function isLater(date: string, than: string): boolean {
  return Date.parse(date) > Date.parse(than);
}
