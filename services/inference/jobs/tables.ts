/**
 * The tables of inference and how they came to be.
 *
 * @module
 */
import type { JobStatus, ProblemCode, TaskType } from "@fovea/contract";
import { type Generated, type Kysely, type Selectable, sql } from "kysely";
import type { Migration } from "kysely/migration";

export interface JobTable {
  /** Order of arrival. */
  seq: Generated<number>;
  job_id: string;
  task_type: TaskType;
  media_store_id: number;
  priority: number;
  /** 1 where the client asked for a new job whatever is there. */
  force: number;
  /** JSON: TaskOptions, its members in alphabetical order. */
  options: string;
  /** Null for a job that came before a model was chosen, until it is begun. */
  model_name: string | null;
  status: JobStatus;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** Not before this time, ms since the epoch: between a failure that passes and the next try. */
  run_after: number;
  attempt: number;
  /** How many workers died of it. */
  workers_lost: number;
  error_code: ProblemCode | null;
  error_message: string | null;
  /** JSON: Timings. */
  timings_ms: string | null;
  /** JSON: ModelUsed. */
  model: string | null;
  /** JSON: JobResult. */
  result: string | null;
}

/** A stored job. */
export type JobRow = Selectable<JobTable>;

/** The vector store: the collection `image_embeddings`, a point an entity, the newest vector wins. */
export interface ImageEmbeddingTable {
  point_id: number;
  job_id: string;
  model_sha256: string;
  /** 512 × float32, little-endian. */
  vector: Uint8Array;
}

/** Messages that the broker has not acknowledged yet, in the order in which they are to go out. */
export interface OutboxTable {
  seq: Generated<number>;
  topic: string;
  payload: string;
  retain: number;
}

/** Messages that the broker keeps for late subscribers, until they are cleared. */
export interface RetainedTable {
  topic: string;
  payload: string;
  clear_at: number;
}

/** One row: who this installation is to a broker that others use too. */
export interface InstanceTable {
  client_id: string;
}

export interface Tables {
  job: JobTable;
  image_embedding: ImageEmbeddingTable;
  outbox: OutboxTable;
  retained: RetainedTable;
  instance: InstanceTable;
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
};
