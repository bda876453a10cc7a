/**
 * The table of `followed_store.ts`.
 *
 * @module
 */
import type { StorePosition } from "@fovea/contract";
import { sql } from "kysely";
import type { MigrationParts } from "./migrations.ts";

/** At most one row: how far the media_store has come whose pictures the results are of. */
export interface FollowedStoreTable extends StorePosition {
  id: number;
}

export interface FollowedStoreTables {
  followed_store: FollowedStoreTable;
}

export const FOLLOWED_STORE_MIGRATIONS: MigrationParts = {
  async "0005_followed_store"(db) {
    await sql`
      CREATE TABLE followed_store (
        id INTEGER PRIMARY KEY,
        store_id TEXT NOT NULL,
        transaction_id INTEGER NOT NULL,
        tag TEXT NOT NULL
      ) STRICT`.execute(db);
  },
};
