/**
 * The table of `delivery/`.
 *
 * @module
 */
import { sql } from "kysely";
import type { MigrationParts } from "./migrations.ts";

/** Results that media_store has not taken yet. */
export interface DeliveryTable {
  job_id: string;
  /** How often it was tried. */
  attempt: number;
  /** Not before this time, ms since the epoch. */
  due_at: number;
}

export interface DeliveryTables {
  delivery: DeliveryTable;
}

export const DELIVERY_MIGRATIONS: MigrationParts = {
  async "0003_log_and_delivery"(db) {
    await sql`
      CREATE TABLE delivery (
        job_id TEXT PRIMARY KEY REFERENCES job (job_id) ON DELETE CASCADE,
        attempt INTEGER NOT NULL DEFAULT 0,
        due_at INTEGER NOT NULL
      ) STRICT`.execute(db);
    await sql`CREATE INDEX delivery_by_time ON delivery (due_at)`.execute(db);
  },
};
