/**
 * Lists of entities: filtered, searched and cut into pages by the database.
 *
 * @module
 */
import type { Item } from "@fovea/contract";
import { type Kysely, sql } from "kysely";
import type { EntityFilter } from "./filter.ts";
import type { Tables } from "./migrations.ts";
import { ITEM_COLUMNS, toItem } from "./row.ts";
import { wordsOf } from "./search_text.ts";

/** Which entities are asked for. */
export interface Selection {
  filter?: EntityFilter;
  /** Every word of it must occur in label or description. */
  search?: string;
  /** Whether those that are deleted softly are listed, too. */
  include_deleted?: boolean;
  /** All this is asked of entities as they were at this version; those without it are left out. */
  version?: number | undefined;
}

export class EntityListing {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** One stretch of the selected entities in the order of their ids, and how many there are in all. */
  async page(
    selection: Selection,
    offset: number,
    limit: number,
  ): Promise<{ items: Item[]; total: number }> {
    const rows = await pageQuery(this.#db, selection, offset, limit).execute();
    const items = rows.map(toItem);
    // The last page tells the total; so does an only one, as of most searches.
    const isLast = items.length < limit && (items.length > 0 || offset === 0);
    if (isLast) return { items, total: offset + items.length };
    const { total } = await countQuery(this.#db, selection).executeTakeFirstOrThrow();
    return { items, total };
  }
}

/** The entities of a page. Their ids are found in an index, so that what is skipped is not read. */
export function pageQuery(
  db: Kysely<Tables>,
  selection: Selection,
  offset: number,
  limit: number,
) {
  const { rows, order } = select(db, selection);
  const ids = rows.select("entities.id").orderBy(order).offset(offset).limit(limit);
  return from(db, selection.version).select(ITEM_COLUMNS).where("id", "in", ids).orderBy("id");
}

/** Members of the entities of a selection, those after an id, in the order of ids. */
export function membersQuery<Member extends keyof Item>(
  db: Kysely<Tables>,
  selection: Omit<Selection, "search">,
  members: readonly Member[],
  afterId: number,
  limit: number,
) {
  return select(db, selection).rows.select(["entities.id", ...members])
    .where("entities.id", ">", afterId).orderBy("entities.id").limit(limit);
}

/** How many entities a selection has. */
export function countQuery(db: Kysely<Tables>, selection: Selection) {
  return select(db, selection).rows.select((query) => query.fn.countAll<number>().as("total"));
}

/** Entities as they are, or as they were: the tables have the same columns. */
function from(db: Kysely<Tables>, version: number | undefined) {
  if (version === undefined) return db.selectFrom("entities");
  return db.selectFrom("entity_versions as entities" as "entities").where("version", "=", version);
}

function select(
  db: Kysely<Tables>,
  { filter = {}, search = "", include_deleted = false, version }: Selection,
) {
  let rows = from(db, version);
  if (!include_deleted) rows = rows.where("is_deleted", "=", 0);
  if (filter.is_collection !== undefined) {
    rows = rows.where("is_collection", "=", Number(filter.is_collection));
  }
  for (const column of ["type", "mime_type", "parent_id", "sha256"] as const) {
    const value = filter[column];
    if (value !== undefined) rows = rows.where(column, value === null ? "is" : "=", value);
  }
  const words = wordsOf(search);
  // Old versions are in no index, nor is a part of a word that is shorter than a trigram.
  const isIndexed = (word: string) => version === undefined && [...word].length >= 3;
  for (const word of words.filter((word) => !isIndexed(word))) {
    rows = rows.where(sql<boolean>`instr(entities.search_text, ${word}) > 0`);
  }
  const indexed = words.filter(isIndexed);
  if (indexed.length === 0) return { rows, order: "entities.id" as const };
  // A phrase in quotes has no operators in it.
  const phrases = indexed.map((word) => `"${word.replaceAll('"', '""')}"`).join(" ");
  return {
    rows: rows.innerJoin("entity_search", "entity_search.rowid", "entities.id")
      .where(sql<boolean>`entity_search match ${phrases}`),
    // The same as the id, and the order in which the search index finds.
    order: "entity_search.rowid" as "entities.id",
  };
}
