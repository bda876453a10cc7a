/**
 * The tables of `jobs/`.
 *
 * @module
 */
import type { JobStatus, ProblemCode, TaskType } from "@fovea/contract";
import { type Generated, type Selectable, sql } from "kysely";
import type { MigrationParts } from "./migrations.ts";

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
  /** JSON: what it asks beyond the picture, the members in alphabetical order. */
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
  /** JSON, as its task has it. */
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

/** How many jobs there are, kept by triggers: right in every transaction and after every crash. */
export interface JobCountTable {
  task_type: TaskType;
  status: JobStatus;
  count: number;
}

export interface JobTables {
  job: JobTable;
  job_count: JobCountTable;
}

export const JOB_MIGRATIONS: MigrationParts = {
  async "0001_jobs_and_events"(db) {
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
  },
  async "0002_queue"(db) {
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
  async "0004_results_of_bytes"(db) {
    for (const column of ["sha256", "space", "event_id", "expected_sha256"]) {
      await sql`ALTER TABLE job ADD COLUMN ${sql.ref(column)} TEXT`.execute(db);
    }
    await sql`ALTER TABLE job ADD COLUMN submitted_priority INTEGER`.execute(db);
    await sql`ALTER TABLE job DROP COLUMN model_name`.execute(db);
    await sql`
      UPDATE job SET event_id = coalesce((
        SELECT payload ->> 'event_id' FROM outbox
        WHERE topic = 'inference/job/' || job_id || '/completed' AND retain = 1 AND payload <> ''
        ORDER BY seq DESC LIMIT 1), lower(hex(randomblob(16))))
      WHERE completed_at IS NOT NULL`.execute(db);
  },
  async "0006_job_ids_as_given"(db) {
    await sql`CREATE UNIQUE INDEX job_by_id ON job (job_id COLLATE NOCASE)`.execute(db);
  },
  async "0007_interruptions"(db) {
    await sql`ALTER TABLE job ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0`.execute(db);
    await sql`CREATE INDEX job_to_run_alone ON job (seq) WHERE run_after < 0`.execute(db);
  },
  async "0008_running_time"(db) {
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
  },
};
