/**
 * The tables of inference and how they came to be.
 *
 * @module
 */
import type { JobStatus, ProblemCode, StorePosition, TaskType } from "@fovea/contract";
import { type Generated, type Kysely, type Selectable, sql } from "kysely";
import type { Migration } from "kysely/migration";

export interface JobTable {
  /** Order of arrival. */
  seq: Generated<number>;
  /** As the client wrote it; compared without case. */
  job_id: string;
  task_type: TaskType;
  media_store_id: number;
  priority: number;
  /** What it was submitted with, where another request has raised it since; null where none has. */
  submitted_priority: number | null;
  /** 1 where the client asked for a new job whatever is there. */
  force: number;
  /** JSON: TaskOptions, its members in alphabetical order. */
  options: string;
  status: JobStatus;
  created_at: number;
  /** When it last came into the queue: at its submission, or when it was retried by hand. */
  queued_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** Running time when it ended, as far as it was written then. See [note: running time]. */
  kept_from: Generated<number>;
  /**
   * Of a pending job: not before this time, ms since the epoch. 0: as soon as may be, and in all
   * others. {@link ALONE}: when no other is worked on.
   */
  run_after: number;
  attempt: number;
  /** How many workers died of it. */
  workers_lost: number;
  /** How often the service ended while it was worked on. */
  interruptions: Generated<number>;
  error_code: ProblemCode | null;
  error_message: string | null;
  /** JSON: Timings. */
  timings_ms: string | null;
  /** JSON: ModelUsed. */
  model: string | null;
  /** JSON: JobResult. */
  result: string | null;
  /** Of the bytes that were looked at, lower-case hex; null before, and in results of old versions. */
  sha256: string | null;
  /** What its result can be compared with, see tasks/space.ts; null where there is none. */
  space: string | null;
  /** Of its end; null before. */
  event_id: string | null;
  /**
   * Of a job that is worked on and was asked for once more meanwhile: the entity's bytes then. Where
   * it looked at others, it looks again.
   */
  expected_sha256: string | null;
}

/** In `run_after`: the job is worked on alone, since it may be what ends the service. */
export const ALONE = -1;

/** A stored job. */
export type JobRow = Selectable<JobTable>;

/** The vector store: the collection `image_embeddings`, a point an entity, the newest vector wins. */
export interface ImageEmbeddingTable {
  point_id: number;
  job_id: string;
  model_sha256: string;
  /** Of the bytes that were looked at; null in vectors of old versions. */
  sha256: string | null;
  /** See tasks/space.ts; null in vectors of old versions. */
  space: string | null;
  /** 512 × float32, little-endian. */
  vector: Uint8Array;
}

/** The log of messages, in the order in which they go out. See [note: one log]. */
export interface OutboxTable {
  seq: Generated<number>;
  topic: string;
  payload: string;
  retain: number;
  /** When it was written, ms since the epoch. */
  at: number;
  /** From when on its retention counts, ms since the epoch. */
  kept_from: number;
}

/** Results that media_store has not taken yet. */
export interface DeliveryTable {
  job_id: string;
  /** How often it was tried. */
  attempt: number;
  /** Not before this time, ms since the epoch. */
  due_at: number;
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

/** How many jobs there are, kept by triggers: right in every transaction and after every crash. */
export interface JobCountTable {
  task_type: TaskType;
  status: JobStatus;
  count: number;
}

/** At most one row: how far the media_store has come whose pictures the results are of. */
export interface FollowedStoreTable extends StorePosition {
  id: number;
}

export interface Tables {
  job: JobTable;
  job_count: JobCountTable;
  image_embedding: ImageEmbeddingTable;
  outbox: OutboxTable;
  delivery: DeliveryTable;
  instance: InstanceTable;
  followed_store: FollowedStoreTable;
}

export const MIGRATIONS: Record<string, Migration> = {
  "0001_jobs_and_events": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`
        CREATE TABLE job (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          job_id TEXT NOT NULL UNIQUE,
          task_type TEXT NOT NULL,
          media_store_id INTEGER NOT NULL,
          priority INTEGER NOT NULL,
          force INTEGER NOT NULL,
          options TEXT NOT NULL,
          model_name TEXT,
          status TEXT NOT NULL,
          created_at INTEGER NOT NULL,
          started_at INTEGER,
          completed_at INTEGER,
          run_after INTEGER NOT NULL DEFAULT 0,
          attempt INTEGER NOT NULL DEFAULT 0,
          workers_lost INTEGER NOT NULL DEFAULT 0,
          error_code TEXT,
          error_message TEXT,
          timings_ms TEXT,
          model TEXT,
          result TEXT
        ) STRICT`.execute(db);
      await sql`CREATE INDEX job_to_claim ON job (priority DESC, seq) WHERE status = 'pending'`
        .execute(db);
      await sql`CREATE INDEX job_of_entity ON job (media_store_id, task_type)`.execute(db);
      await sql`CREATE INDEX job_by_status ON job (status, seq)`.execute(db);
      await sql`
        CREATE TABLE image_embedding (
          point_id INTEGER PRIMARY KEY,
          job_id TEXT NOT NULL,
          model_sha256 TEXT NOT NULL,
          vector BLOB NOT NULL
        ) STRICT`.execute(db);
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
  },
  "0002_queue": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`ALTER TABLE job ADD COLUMN queued_at INTEGER NOT NULL DEFAULT 0`.execute(db);
      await sql`UPDATE job SET queued_at = created_at`.execute(db);
      await sql`UPDATE job SET run_after = 0 WHERE status <> 'pending'`.execute(db);
      // What waits for its time is in an index of its own: a claim never walks past it.
      await sql`DROP INDEX job_to_claim`.execute(db);
      await sql`
        CREATE INDEX job_by_priority ON job (task_type, priority DESC, seq)
        WHERE status = 'pending' AND run_after = 0`.execute(db);
      await sql`
        CREATE INDEX job_by_wait ON job (task_type, queued_at)
        WHERE status = 'pending' AND run_after = 0`.execute(db);
      await sql`
        CREATE INDEX job_by_due_time ON job (run_after) WHERE run_after > 0`.execute(db);
      await sql`CREATE INDEX job_by_end ON job (completed_at) WHERE completed_at IS NOT NULL`
        .execute(db);
      await sql`
        CREATE TABLE job_count (
          task_type TEXT NOT NULL,
          status TEXT NOT NULL,
          count INTEGER NOT NULL,
          PRIMARY KEY (task_type, status)
        ) STRICT, WITHOUT ROWID`.execute(db);
      await sql`
        INSERT INTO job_count SELECT task_type, status, count(*) FROM job
        GROUP BY task_type, status`.execute(db);
      await sql`
        CREATE TRIGGER job_counted_in AFTER INSERT ON job BEGIN
          INSERT INTO job_count VALUES (NEW.task_type, NEW.status, 1)
            ON CONFLICT DO UPDATE SET count = count + 1;
        END`.execute(db);
      await sql`
        CREATE TRIGGER job_counted_out AFTER DELETE ON job BEGIN
          UPDATE job_count SET count = count - 1
            WHERE task_type = OLD.task_type AND status = OLD.status;
        END`.execute(db);
      await sql`
        CREATE TRIGGER job_counted_over AFTER UPDATE OF status ON job
        WHEN OLD.status <> NEW.status BEGIN
          UPDATE job_count SET count = count - 1
            WHERE task_type = OLD.task_type AND status = OLD.status;
          INSERT INTO job_count VALUES (NEW.task_type, NEW.status, 1)
            ON CONFLICT DO UPDATE SET count = count + 1;
        END`.execute(db);
    },
  },
  "0003_log_and_delivery": {
    async up(db: Kysely<unknown>): Promise<void> {
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
      await sql`
        CREATE TABLE delivery (
          job_id TEXT PRIMARY KEY REFERENCES job (job_id) ON DELETE CASCADE,
          attempt INTEGER NOT NULL DEFAULT 0,
          due_at INTEGER NOT NULL
        ) STRICT`.execute(db);
      await sql`CREATE INDEX delivery_by_time ON delivery (due_at)`.execute(db);
    },
  },
  "0004_results_of_bytes": {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const column of ["sha256", "space", "event_id", "expected_sha256"]) {
        await sql`ALTER TABLE job ADD COLUMN ${sql.ref(column)} TEXT`.execute(db);
      }
      await sql`ALTER TABLE job ADD COLUMN submitted_priority INTEGER`.execute(db);
      await sql`ALTER TABLE job DROP COLUMN model_name`.execute(db);
      for (const column of ["sha256", "space"]) {
        await sql`ALTER TABLE image_embedding ADD COLUMN ${sql.ref(column)} TEXT`.execute(db);
      }
      await sql`
        UPDATE job SET event_id = coalesce((
          SELECT payload ->> 'event_id' FROM outbox
          WHERE topic = 'inference/job/' || job_id || '/completed' AND retain = 1 AND payload <> ''
          ORDER BY seq DESC LIMIT 1), lower(hex(randomblob(16))))
        WHERE completed_at IS NOT NULL`.execute(db);
    },
  },
  "0005_followed_store": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`
        CREATE TABLE followed_store (
          id INTEGER PRIMARY KEY,
          store_id TEXT NOT NULL,
          transaction_id INTEGER NOT NULL,
          tag TEXT NOT NULL
        ) STRICT`.execute(db);
    },
  },
  "0006_job_ids_as_given": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`CREATE UNIQUE INDEX job_by_id ON job (job_id COLLATE NOCASE)`.execute(db);
    },
  },
  "0007_interruptions": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`ALTER TABLE job ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0`.execute(db);
      await sql`CREATE INDEX job_to_run_alone ON job (seq) WHERE run_after < 0`.execute(db);
    },
  },
  "0008_running_time": {
    async up(db: Kysely<unknown>): Promise<void> {
      // What is there is kept for its full time once more: how old it is only a clock could say.
      await sql`ALTER TABLE job ADD COLUMN kept_from INTEGER NOT NULL DEFAULT 0`.execute(db);
      await sql`
        CREATE TRIGGER job_kept_from AFTER UPDATE OF completed_at ON job
        WHEN NEW.completed_at IS NOT NULL BEGIN
          UPDATE job SET kept_from = coalesce((SELECT ms FROM running_time), 0)
            WHERE seq = NEW.seq;
        END`.execute(db);
      await sql`CREATE INDEX job_by_retention ON job (kept_from) WHERE completed_at IS NOT NULL`
        .execute(db);
      await sql`UPDATE outbox SET at = 0, kept_from = 0`.execute(db);
    },
  },
};
