/**
 * What it means for a search to find a text: each of the search's words occurs in it, anywhere,
 * whatever the case and accents of either.
 *
 * @module
 */

/** Accents that stand apart once a letter is decomposed, marks that nobody sees, and NUL. */
const IGNORED = /[\u0300-\u036f\p{Cf}\0]/gu;

/**
 * A text as it is compared: compatibility forms and accents undone (Unicode's NFKD), in capitals,
 * since small letters of one word may differ where capitals don't ("ß" and "ss", "ς" and "σ").
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { searchable } from "./search_text.ts";
 *
 * assert.equal(searchable("Café ﬁne Straße"), "CAFE FINE STRASSE");
 * ```
 */
export function searchable(text: string): string {
  return text.normalize("NFKD").replace(IGNORED, "").toUpperCase();
}

/** What a search looks into; no word of a search spans label and description. */
export function searchTextOf(item: { label: string | null; description: string | null }): string {
  return searchable(`${item.label ?? ""}\n${item.description ?? ""}`);
}

/** The words of a search, comparable with {@link searchTextOf}. */
export function wordsOf(search: string): string[] {
  return searchable(search).split(/\s+/).filter((word) => word !== "");
}
