/**
 * ETags of entities, by which a client says which state of one it means to keep or to change.
 *
 * @module
 */
import { type Item, Problem } from "@fovea/contract";

/** The tag of an Item: `"v3"` for its third version. What a version says never changes. */
export function entityETag(item: Pick<Item, "version">): string {
  return `"v${item.version}"`;
}

/**
 * Whether a header such as If-None-Match or If-Match names a tag.
 *
 * Weak tags count as strong ones do: a proxy, or the server itself, weakens a tag where it only
 * compresses the answer, and the entity that is meant is the same.
 */
export function namesETag(header: string, tag: string): boolean {
  const tags = header.split(",").map((named) => named.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(tag);
}

/**
 * Lets a change pass only where it is made to what its author has seen.
 *
 * @param ifMatch the header; undefined lets everything pass
 * @throws {Problem} `precondition_failed`
 */
export function checkIfMatch(item: Item, ifMatch: string | undefined): void {
  const tag = entityETag(item);
  if (ifMatch === undefined || namesETag(ifMatch, tag)) return;
  throw new Problem(
    "precondition_failed",
    `If-Match is ${ifMatch}, but entity ${item.id} is ${tag} by now: ` +
      "get it, look at it and send the change again",
    { entity_id: item.id, version: item.version },
  );
}
