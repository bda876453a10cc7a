/**
 * The history of entities in the database. [note: every change is a version] Whatever changes
 * entities records in the same transaction what they have become, so that the last version of an
 * entity always is the entity itself.
 *
 * @module
 */
import type { EntityVersion, Item } from "@fovea/contract";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Tables } from "./migrations.ts";
import { ITEM_COLUMNS, toItem } from "./row.ts";
import { recordTransaction } from "./transactions.ts";

/** A file that some version of an entity needs. */
export interface StoredFile {
  file_path: string;
  /** Lower-case hex. */
  sha256: string;
  /** Bytes. */
  file_size: number;
}

export class VersionRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Oldest first; empty where there is no such entity. */
  async list(id: number): Promise<EntityVersion[]> {
    const rows = await this.#db.selectFrom("entity_versions")
      .select(["version", "transaction_id", "updated_date"])
      .where("id", "=", id).orderBy("version").execute();
    // Rows have no prototype, unlike any other object that is compared with them.
    return rows.map((row) => ({ ...row }));
  }

  /** An entity as it was. */
  async find(id: number, version: number): Promise<Item | undefined> {
    const row = await this.#db.selectFrom("entity_versions").select(ITEM_COLUMNS)
      .where("id", "=", id).where("version", "=", version).executeTakeFirst();
    return row && toItem(row);
  }

  /** Where these bytes lie, if any version of any entity has them. */
  async pathOf(sha256: string): Promise<string | undefined> {
    const row = await this.#db.selectFrom("entity_versions").select("file_path")
      .where("sha256", "=", sha256).limit(1).executeTakeFirst();
    return row?.file_path ?? undefined;
  }

  async needsFile(path: string): Promise<boolean> {
    const row = await this.#db.selectFrom("entity_versions").select("id")
      .where("file_path", "=", path).limit(1).executeTakeFirst();
    return row !== undefined;
  }

  /** Every file that a version needs, each once, with one of the entities that need it. */
  async files(): Promise<(StoredFile & { id: number })[]> {
    return await this.#db.selectFrom("entity_versions")
      .select(["id", "file_path", "sha256", "file_size"])
      .where("file_path", "is not", null)
      .$narrowType<{ file_path: string; sha256: string; file_size: number }>()
      .groupBy("file_path").execute();
  }
}

/**
 * Records what entities have become, as one transaction. [note: every change is a version]
 *
 * @returns its number
 */
export async function recordVersions(
  transaction: Transaction<Tables>,
  ids: number[],
): Promise<number> {
  const transactionId = await recordTransaction(transaction);
  const columns = [...ITEM_COLUMNS, "search_text"] as const;
  await transaction.insertInto("entity_versions")
    .columns([...columns, "transaction_id"])
    .expression((query) =>
      query.selectFrom("entities").select(columns).select(
        sql.val(transactionId).as("transaction_id"),
      )
        // As JSON: a statement takes 32,766 parameters at most, and a collection may hold more.
        .where("id", "in", sql<number>`(select value from json_each(${JSON.stringify(ids)}))`)
    )
    .execute();
  return transactionId;
}

/** Of the files that an entity's versions need, those that no other entity needs. */
export async function filesOfAlone(
  transaction: Transaction<Tables>,
  id: number,
): Promise<StoredFile[]> {
  return await transaction.selectFrom("entity_versions as own")
    .select(["file_path", "sha256", "file_size"]).distinct()
    .where("id", "=", id)
    .where("file_path", "is not", null)
    .where((query) =>
      query.not(query.exists(
        query.selectFrom("entity_versions as other").select("other.id")
          .whereRef("other.file_path", "=", "own.file_path")
          .where("other.id", "!=", id),
      ))
    )
    .$narrowType<{ file_path: string; sha256: string; file_size: number }>()
    .execute();
}
