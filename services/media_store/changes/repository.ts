/**
 * The feed of changes in the database. [note: the last change] It has one entry for each entity, as
 * its last change left it, and one for each that was deleted for good. So it grows with the entities
 * and not with what happens to them, and whoever starts at its beginning gets what is there now.
 * Its order is that of transactions, and within one that of ids.
 *
 * @module
 */
import type { ChangePage, ChangePosition, EntityChange } from "@fovea/contract";
import type { Kysely } from "kysely";
import type { Tables } from "../entities/migrations.ts";
import type { TransactionRepository } from "../entities/transactions.ts";

/** A place in the order of the feed. */
interface Place {
  transactionId: number;
  id: number;
}

export class ChangeRepository {
  readonly #db: Kysely<Tables>;
  readonly #transactions: TransactionRepository;

  constructor(db: Kysely<Tables>, transactions: TransactionRepository) {
    this.#db = db;
    this.#transactions = transactions;
  }

  /**
   * @param position what one has seen; left out, nothing
   * @param limit of entries, from 1
   * @throws {Problem} `diverged` where this store has never been at that position
   */
  async page(position: ChangePosition | undefined, limit: number): Promise<ChangePage> {
    if (position !== undefined) await this.#check(position);
    // Before the entries: what is written meanwhile is behind it, or comes twice.
    const { store_id, transaction_id, tag } = await this.#transactions.position();
    const found = await this.#read(placeOf(position), limit + 1);
    const changes = found.slice(0, limit);
    const last = changes.at(-1);
    return {
      store_id,
      changes,
      next: last === undefined
        ? position ?? { after: transaction_id, tag }
        : { after: last.transaction_id, after_id: last.id, tag: last.tag },
      has_more: found.length > limit,
    };
  }

  /** The position behind all that there is. */
  async end(): Promise<ChangePosition> {
    const { transaction_id, tag } = await this.#transactions.position();
    return { after: transaction_id, tag };
  }

  async #check({ after, tag }: ChangePosition): Promise<void> {
    await this.#transactions.checkSeen({ transaction_id: after, tag });
  }

  async #read(place: Place, limit: number): Promise<EntityChange[]> {
    const changed = await this.#changed(place, limit);
    const deleted = await this.#deleted(place, limit);
    return [...changed, ...deleted]
      .sort((a, b) => a.transaction_id - b.transaction_id || a.id - b.id)
      .slice(0, limit);
  }

  async #changed(
    place: Place,
    limit: number,
  ): Promise<EntityChange[]> {
    const rows = await this.#db.selectFrom("entity_versions as made")
      // Of an entity's versions only the last one is its last change.
      .innerJoin(
        "entities",
        (join) =>
          join.onRef("entities.id", "=", "made.id").onRef("entities.version", "=", "made.version"),
      )
      .innerJoin("transactions", "transactions.id", "made.transaction_id")
      .select([
        "made.id",
        "made.transaction_id",
        "transactions.tag",
        "entities.version",
        "entities.is_collection",
        "entities.type",
        "entities.mime_type",
        "entities.sha256",
        "entities.width",
        "entities.height",
        "entities.file_size",
        "entities.parent_id",
        "entities.added_date",
        "entities.create_date",
        "entities.is_deleted",
      ])
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple("made.transaction_id", "made.id"), ">", tuple(place.transactionId, place.id))
      )
      .orderBy("made.transaction_id").orderBy("made.id").limit(limit).execute();
    return rows.map((row) => ({
      change: row.version === 1 ? "created" as const : "updated" as const,
      ...row,
      is_collection: row.is_collection === 1,
      is_deleted: row.is_deleted === 1,
    }));
  }

  async #deleted(
    place: Place,
    limit: number,
  ): Promise<EntityChange[]> {
    const rows = await this.#db.selectFrom("tombstones")
      .innerJoin("transactions", "transactions.id", "tombstones.transaction_id")
      .select(["tombstones.id", "tombstones.transaction_id", "transactions.tag"])
      .where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple("tombstones.transaction_id", "tombstones.id"),
          ">",
          tuple(place.transactionId, place.id),
        )
      )
      .orderBy("tombstones.transaction_id").orderBy("tombstones.id").limit(limit).execute();
    return rows.map((row) => ({ change: "deleted" as const, ...row }));
  }
}

function placeOf(position: ChangePosition | undefined): Place {
  if (position === undefined) return { transactionId: 0, id: 0 };
  // No id is larger: all entities of the transaction have been seen.
  return { transactionId: position.after, id: position.after_id ?? Number.MAX_SAFE_INTEGER };
}
