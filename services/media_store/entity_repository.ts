/**
 * Entities in the database: SQL, and nothing of the rules.
 *
 * @module
 */
import type { Item } from "@fovea/contract";
import type { Insertable, Kysely, Selectable } from "kysely";
import type { EntityRow, Tables } from "./migrations.ts";
import type { Tally } from "./store_metrics.ts";
import { reportFull } from "./storage_full.ts";

/** An entity that has no id yet. */
export type NewItem = Omit<Item, "id">;

export class EntityRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** @throws {Problem} `storage_full` */
  async insert(item: NewItem): Promise<Item> {
    const row = await reportFull(() =>
      this.#db.insertInto("entities").values(toRow(item)).returningAll().executeTakeFirstOrThrow()
    );
    return toItem(row);
  }

  async find(id: number): Promise<Item | undefined> {
    const row = await this.#db.selectFrom("entities").selectAll().where("id", "=", id)
      .executeTakeFirst();
    return row && toItem(row);
  }

  /** The id of the entity that has a file of these bytes. */
  async findBySha256(sha256: string): Promise<number | undefined> {
    const row = await this.#db.selectFrom("entities").select("id").where("sha256", "=", sha256)
      .executeTakeFirst();
    return row?.id;
  }

  async ownsFile(filePath: string): Promise<boolean> {
    const row = await this.#db.selectFrom("entities").select("id")
      .where("file_path", "=", filePath).executeTakeFirst();
    return row !== undefined;
  }

  /** In the order in which they were added. */
  async list(offset: number, limit: number): Promise<{ items: Item[]; total: number }> {
    const rows = await this.#db.selectFrom("entities").selectAll().orderBy("id")
      .offset(offset).limit(limit).execute();
    const { total } = await this.#db.selectFrom("entities")
      .select((select) => select.fn.countAll<number>().as("total")).executeTakeFirstOrThrow();
    return { items: rows.map(toItem), total };
  }

  /**
   * Deletes one entity and returns it as it was. What lies in a collection moves out of it.
   *
   * @throws {Problem} `storage_full`: forgetting takes room too, in the write-ahead log
   */
  async delete(id: number): Promise<Item | undefined> {
    const row = await reportFull(() =>
      this.#db.deleteFrom("entities").where("id", "=", id).returningAll().executeTakeFirst()
    );
    return row && toItem(row);
  }

  /** Deletes all entities and returns their number. @throws {Problem} `storage_full` */
  async deleteAll(): Promise<number> {
    const { numDeletedRows } = await reportFull(() =>
      this.#db.deleteFrom("entities").executeTakeFirstOrThrow()
    );
    return Number(numDeletedRows);
  }

  /** The entity behind each file path. */
  async files(): Promise<Map<string, number>> {
    const rows = await this.#db.selectFrom("entities").select(["id", "file_path"])
      .where("file_path", "is not", null).$narrowType<{ file_path: string }>().execute();
    return new Map(rows.map((row) => [row.file_path, row.id]));
  }

  /** How many entities there are of each kind, and what their files hold. */
  async tally(): Promise<Tally[]> {
    const rows = await this.#db.selectFrom("entities")
      .select(({ fn }) => [
        "is_collection",
        "is_deleted",
        fn.countAll<number>().as("entities"),
        fn.sum<number | null>("file_size").as("bytes"),
      ])
      .groupBy(["is_collection", "is_deleted"]).execute();
    return rows.map((row) => ({
      is_collection: row.is_collection === 1,
      is_deleted: row.is_deleted === 1,
      entities: row.entities,
      bytes: row.bytes ?? 0,
    }));
  }

  /** Writes a row: fails where an insert would. */
  async probe(now: number): Promise<void> {
    await this.#db.insertInto("readiness").values({ id: 1, checked_at: now })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ checked_at: now })).execute();
  }
}

function toRow(item: NewItem): Insertable<EntityRow> {
  return {
    ...item,
    is_collection: Number(item.is_collection),
    is_deleted: Number(item.is_deleted),
  };
}

function toItem(row: Selectable<EntityRow>): Item {
  return {
    ...row,
    is_collection: row.is_collection === 1,
    is_deleted: row.is_deleted === 1,
  };
}
