/**
 * The tables of `events/`.
 *
 * @module
 */
import { type Generated, sql } from "kysely";
import type { MigrationParts } from "./migrations.ts";

/** The log of messages, in the order in which they go out. See [note: one log]. */
export interface OutboxTable {
  seq: Generated<number>;
  topic: string;
  payload: string;
  retain: number;
  /** When it was written, in running time. See [note: running time]. */
  at: number;
  /** From when on its retention counts, in running time. */
  kept_from: number;
}

/** One row: this installation. */
export interface InstanceTable {
  /** Its name to a broker that others use too. */
  client_id: string;
  /** The last message of the log that the broker has acknowledged. */
  sent_through: number;
  /** Grows with each look whether the database can be written. */
  write_checks: Generated<number>;
}

export interface EventTables {
  outbox: OutboxTable;
  instance: InstanceTable;
}

export const EVENT_MIGRATIONS: MigrationParts = {
  async "0001_jobs_and_events"(db) {
    await sql`
      CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        payload TEXT NOT NULL,
        retain INTEGER NOT NULL
      ) STRICT`.execute(db);
    await sql`
      CREATE TABLE retained (
        topic TEXT PRIMARY KEY,
        payload TEXT NOT NULL,
        clear_at INTEGER NOT NULL
      ) STRICT`.execute(db);
    await sql`CREATE INDEX retained_to_clear ON retained (clear_at)`.execute(db);
    await sql`CREATE TABLE instance (client_id TEXT NOT NULL) STRICT`.execute(db);
    await sql`INSERT INTO instance VALUES ('fovea-' || lower(hex(randomblob(8))))`.execute(db);
  },
  async "0003_log_and_delivery"(db) {
    await sql`ALTER TABLE instance ADD COLUMN sent_through INTEGER NOT NULL DEFAULT 0`
      .execute(db);
    await sql`ALTER TABLE instance ADD COLUMN write_checks INTEGER NOT NULL DEFAULT 0`
      .execute(db);
    for (const column of ["at", "kept_from"]) {
      await sql`ALTER TABLE outbox ADD COLUMN ${sql.ref(column)} INTEGER NOT NULL DEFAULT 0`
        .execute(db);
    }
    const now = Date.now();
    await sql`UPDATE outbox SET at = ${now}, kept_from = ${now}`.execute(db);
    // What was sent and is retained comes before all that waits, which begins at 1.
    await sql`
      INSERT INTO outbox (seq, topic, payload, retain, at, kept_from)
      SELECT -rowid, topic, payload, 1, ${now}, ${now} FROM retained`.execute(db);
    await sql`DROP TABLE retained`.execute(db);
    await sql`CREATE INDEX outbox_by_age ON outbox (kept_from)`.execute(db);
    await sql`CREATE INDEX outbox_retained ON outbox (topic, seq) WHERE retain = 1`.execute(db);
  },
  async "0008_running_time"(db) {
    await sql`UPDATE outbox SET at = 0, kept_from = 0`.execute(db);
  },
};
