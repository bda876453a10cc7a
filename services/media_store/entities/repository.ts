/**
 * Entities in the database as they are now: SQL, and nothing of the rules.
 *
 * @module
 */
import type { Item, KnownFiles } from "@fovea/contract";
import { type Kysely, sql, type Transaction } from "kysely";
import { reportStorage } from "../blobs/storage_failure.ts";
import type { Tables } from "./migrations.ts";
import { ITEM_COLUMNS, toItem, toRow } from "./row.ts";
import { recordTransaction } from "./transactions.ts";
import { filesOfAlone, recordVersions, type StoredFile } from "./versions.ts";

/** An entity that has no id yet. */
export type NewItem = Omit<Item, "id">;

export class EntityRepository {
  readonly #db: Kysely<Tables>;
  readonly #onChange: () => void;

  /** @param onChange called after each change, when it is written */
  constructor(db: Kysely<Tables>, onChange: () => void = () => {}) {
    this.#db = db;
    this.#onChange = onChange;
  }

  /** @throws {Problem} `storage_full` */
  insert(item: NewItem): Promise<Item> {
    return this.#change(async (transaction) => {
      const { id } = await transaction.insertInto("entities").values(toRow(item)).returning("id")
        .executeTakeFirstOrThrow();
      await recordVersions(transaction, [id]);
      return { id, ...item };
    });
  }

  /** Makes an existing entity what `item` says, its next version. @throws {Problem} `storage_full` */
  update(item: Item): Promise<Item> {
    return this.#change(async (transaction) => {
      const { id, ...members } = item;
      await transaction.updateTable("entities").set(toRow(members)).where("id", "=", id).execute();
      await recordVersions(transaction, [id]);
      return item;
    });
  }

  async find(id: number): Promise<Item | undefined> {
    const row = await this.#db.selectFrom("entities").select(ITEM_COLUMNS).where("id", "=", id)
      .executeTakeFirst();
    return row && toItem(row);
  }

  /** The entity whose file has these bytes now. */
  async findBySha256(sha256: string): Promise<Item | undefined> {
    const row = await this.#db.selectFrom("entities").select(ITEM_COLUMNS)
      .where("sha256", "=", sha256).executeTakeFirst();
    return row && toItem(row);
  }

  /** Of these digests, those that the bytes of an entity have now. Lower-case hex. */
  async known(digests: string[]): Promise<KnownFiles["known"]> {
    const rows = await this.#db.selectFrom("entities").select(["sha256", "id", "is_deleted"])
      .where("sha256", "in", digests).$narrowType<{ sha256: string }>().execute();
    const byDigest = new Map(rows.map((row) => [row.sha256, row]));
    return [...new Set(digests)].flatMap((digest) => {
      const row = byDigest.get(digest);
      return row === undefined ? [] : [{ ...row, is_deleted: row.is_deleted === 1 }];
    });
  }

  /** Whether an entity is another one, or lies in it at whatever depth. */
  async isWithin(id: number, outerId: number): Promise<boolean> {
    const { rows } = await sql`
      with recursive around (id) as (
        values (${id})
        union
        select entities.parent_id from entities join around using (id)
        where entities.parent_id is not null
      )
      select 1 from around where id = ${outerId}`.execute(this.#db);
    return rows.length > 0;
  }

  /**
   * Deletes one entity with its history. What lies in it moves to where it lay, and has a new version.
   *
   * @returns the entity as it was, and the files that nothing needs any more
   * @throws {Problem} `storage_full`: forgetting takes room too, in the write-ahead log
   */
  delete(id: number, now: number): Promise<{ item: Item; files: StoredFile[] } | undefined> {
    return this.#change(async (transaction) => {
      const row = await transaction.selectFrom("entities").select(ITEM_COLUMNS)
        .where("id", "=", id).executeTakeFirst();
      if (row === undefined) return undefined;
      const moved = await transaction.updateTable("entities")
        .set((entity) => ({
          parent_id: row.parent_id,
          updated_date: now,
          version: entity("version", "+", 1),
        }))
        .where("parent_id", "=", id).returning("id").execute();
      const transaction_id = moved.length > 0
        ? await recordVersions(transaction, moved.map((child) => child.id))
        : await recordTransaction(transaction);
      await transaction.insertInto("tombstones").values({ id, transaction_id }).execute();
      const files = await filesOfAlone(transaction, id);
      await transaction.deleteFrom("entities").where("id", "=", id).execute();
      return { item: toItem(row), files };
    });
  }

  /** Deletes all entities and returns their number. @throws {Problem} `storage_full` */
  deleteAll(): Promise<number> {
    return this.#change(async (transaction) => {
      // At once: entity by entity, each would first leave a mark in the search index.
      await sql`insert into entity_search (entity_search) values ('delete-all')`.execute(
        transaction,
      );
      const transaction_id = await recordTransaction(transaction);
      await transaction.insertInto("tombstones").columns(["id", "transaction_id"])
        .expression((query) =>
          query.selectFrom("entities").select(["id", sql.val(transaction_id).as("transaction_id")])
        ).execute();
      await transaction.deleteFrom("entity_versions").execute();
      const { numDeletedRows } = await transaction.deleteFrom("entities").executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    });
  }

  async #change<T>(action: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    const outcome = await reportStorage(() => this.#db.transaction().execute(action));
    this.#onChange();
    return outcome;
  }

  /** Writes a row: fails where an insert would. */
  async probe(now: number): Promise<void> {
    await this.#db.insertInto("readiness").values({ id: 1, checked_at: now })
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet({
          // SQLite does not write what stays the same, as within one millisecond.
          checked_at: sql`max(excluded.checked_at, readiness.checked_at + 1)`,
        })
      ).execute();
  }
}
