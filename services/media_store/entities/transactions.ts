/**
 * [note: diverged] Which store this is, and how far it has come. Every change is a transaction with a
 * number and a random tag. A store that was restored from a backup, or is a copy of another, gives
 * the same numbers again, and the same ids to other pictures, but never the same tags. So whoever
 * keeps something by the ids of entities finds out by the last tag that it has seen.
 *
 * @module
 */
import { Problem, type StorePosition } from "@fovea/contract";
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./migrations.ts";

export class TransactionRepository {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** The store after its last change. */
  async position(): Promise<StorePosition> {
    const { store_id } = await this.#db.selectFrom("store").select("store_id")
      .executeTakeFirstOrThrow();
    const { id, tag } = await this.#db.selectFrom("transactions").select(["id", "tag"])
      .orderBy("id", "desc").limit(1).executeTakeFirstOrThrow();
    return { store_id, transaction_id: id, tag };
  }

  /**
   * @param seen a transaction that somebody has seen, and its tag
   * @throws {Problem} `diverged` where this store has not made it
   */
  async checkSeen(seen: { transaction_id: number; tag: string }): Promise<void> {
    const made = await this.#db.selectFrom("transactions").select("tag")
      .where("id", "=", seen.transaction_id).executeTakeFirst();
    if (made?.tag === seen.tag) return;
    const { store_id, transaction_id } = await this.position();
    throw new Problem(
      "diverged",
      `transaction ${seen.transaction_id} with tag "${seen.tag}" was never made by this store, ` +
        `whose last is ${transaction_id}: it is another store, or was restored from a backup`,
      { store_id },
    );
  }
}

/** Counts one more change. @returns its number */
export async function recordTransaction(transaction: Transaction<Tables>): Promise<number> {
  const { id } = await transaction.insertInto("transactions").defaultValues().returning("id")
    .executeTakeFirstOrThrow();
  return id;
}
