/**
 * Between an Item and its row: SQLite has 0 and 1 for false and true, and a row has a text to search.
 *
 * @module
 */
import type { Item } from "@fovea/contract";
import type { EntityRow } from "./migrations.ts";
import { searchTextOf } from "./search_text.ts";

/** The columns that make an Item, in its order. */
export const ITEM_COLUMNS = [
  "id",
  "is_collection",
  "label",
  "description",
  "parent_id",
  "added_date",
  "updated_date",
  "is_deleted",
  "create_date",
  "create_offset_minutes",
  "file_size",
  "height",
  "width",
  "shown_by_preview",
  "duration",
  "mime_type",
  "type",
  "extension",
  "md5",
  "sha256",
  "file_path",
  "version",
] as const satisfies readonly (keyof Item)[];

type ItemRow = Omit<EntityRow, "id" | "search_text">;

/** Everything but the id, which the database gives. */
export function toRow(item: Omit<Item, "id">): ItemRow & { search_text: string } {
  return {
    ...item,
    is_collection: Number(item.is_collection),
    is_deleted: Number(item.is_deleted),
    shown_by_preview: item.shown_by_preview === null ? null : Number(item.shown_by_preview),
    search_text: searchTextOf(item),
  };
}

export function toItem(row: ItemRow & { id: number }): Item {
  return {
    ...row,
    is_collection: row.is_collection === 1,
    is_deleted: row.is_deleted === 1,
    shown_by_preview: row.shown_by_preview === null ? null : row.shown_by_preview === 1,
  };
}
