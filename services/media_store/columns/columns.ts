/**
 * Reads the whole library as columns.
 *
 * @module
 */
import type { StorePosition } from "@fovea/contract";
import type { Kysely } from "kysely";
import type { Selection } from "../entities/listing.ts";
import { membersQuery } from "../entities/listing.ts";
import type { Tables } from "../entities/migrations.ts";
import type { TransactionRepository } from "../entities/transactions.ts";
import { type ColumnName, ColumnsBuilder } from "./layout.ts";

/** Rows that are read at once; other requests come in between. */
const CHUNK = 5000;

export class LibraryColumns {
  readonly #db: Kysely<Tables>;
  readonly #transactions: TransactionRepository;

  constructor(db: Kysely<Tables>, transactions: TransactionRepository) {
    this.#db = db;
    this.#transactions = transactions;
  }

  /** What an answer would be made of at least. */
  position(): Promise<StorePosition> {
    return this.#transactions.position();
  }

  /**
   * @param position taken before: what changes while rows are read is behind it, and is told by the feed
   * @param selection a search in labels is not part of it
   * @returns a header and the columns, see layout.ts
   */
  async read(
    names: readonly ColumnName[],
    selection: Omit<Selection, "search">,
    position: StorePosition,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const builder = new ColumnsBuilder(names);
    let lastId = 0;
    let rows: { id: number }[];
    do {
      rows = await membersQuery(this.#db, selection, names, lastId, CHUNK).execute();
      for (const row of rows) builder.add(row);
      lastId = rows.at(-1)?.id ?? lastId;
      await new Promise((resolve) => setTimeout(resolve));
    } while (rows.length === CHUNK);
    return builder.bytes(position);
  }
}
