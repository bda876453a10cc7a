/**
 * Names of files as others may see them: what people write is kept, what could mislead is not.
 *
 * @module
 */

/**
 * Control characters, and marks that turn the order of the letters around, by which "gpj.exe" can
 * be made to show as "exe.jpg" (Unicode's Cc and Bidi_Control).
 */
// deno-lint-ignore no-control-regex -- these are what is looked for
const MISLEADING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Most systems allow so many letters in a file name, with room for an extension. */
const MAX_LENGTH = 200;

/**
 * A text as one line without surprises, cut off where it is long. No path may be made of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { displayName } from "./file_name.ts";
 *
 * assert.equal(displayName("holiday\u202egpj.exe\0"), "holidaygpj.exe");
 * ```
 */
export function displayName(name: string): string {
  const letters = [...name.toWellFormed().replaceAll(MISLEADING, "")];
  return letters.length > MAX_LENGTH
    ? `${letters.slice(0, MAX_LENGTH).join("")}…`
    : letters.join("");
}

/** Slashes of both kinds, and what Windows takes for something else in a name. */
const NOT_IN_NAMES = /[/\\:*?"<>|]/g;

/**
 * The name under which a client may save an entity's file.
 *
 * @param label what the entity is called; without one it is named by its id
 * @param extension without the dot
 */
export function downloadName(
  { id, label, extension }: { id: number; label: string | null; extension: string | null },
): string {
  const base = displayName(label ?? "").replaceAll(NOT_IN_NAMES, "_").replace(
    /^[.\s]+|[.\s]+$/g,
    "",
  );
  const name = base || `entity-${id}`;
  const dotted = `.${extension}`;
  return extension === null || name.toLowerCase().endsWith(dotted) ? name : name + dotted;
}
