import type { Kysely } from "kysely";
import type { JobRow } from "../database/jobs.ts";
import type { Tables } from "../database/tables.ts";
import { Administration } from "../jobs/administration.ts";
import { Admission } from "../jobs/admission.ts";
import { Attempts } from "../jobs/attempts.ts";
import { type EmittedEvent, EventTransactions } from "../jobs/event_transactions.ts";
import { JobService } from "../jobs/service.ts";
import { ServiceRate } from "../jobs/service_rate.ts";
import type { ServedModels } from "../tasks/served_models.ts";
import { writeAlong } from "./result_writer.ts";

export interface QueueOptions {
  db: Kysely<Tables>;
  models: ServedModels;
  /** How many jobs may wait. */
  limit: number;
  /** The digest of an entity's bytes as they are now; null where media_store can't say. */
  digestOf: (entityId: number) => Promise<string | null>;
  /** Called after a commit: there may be a job to begin and events to send. */
  onCommit: (emitted: readonly EmittedEvent[]) => void;
  /** Called when a job has been completed. */
  onCompleted: (job: JobRow) => void;
  /** Called when a job was cancelled while a worker is busy with it. */
  onCancelled: (seq: number) => void;
  /** Time of day, ms since the epoch. */
  now?: () => number;
  /** Milliseconds that only grow, whatever the time of day does. */
  clock?: () => number;
  /** See [note: running time]. */
  runningMs: () => number;
  /** Called when ended jobs were removed because somebody asked for it. */
  onRemoved?: () => void;
  newId?: () => string;
  /** 0…1. */
  random?: () => number;
}

/** What each party does with jobs: clients, workers, and operators. */
export interface Queue {
  transactions: EventTransactions;
  jobs: JobService;
  attempts: Attempts;
  administration: Administration;
}

/** The queue: jobs from their submission to their end. */
export function openQueue({
  now = Date.now,
  clock = () => performance.now(),
  newId = () => crypto.randomUUID(),
  random = Math.random,
  ...options
}: QueueOptions): Queue {
  const { db, models, limit, digestOf, onCommit, onCompleted, onCancelled, runningMs } = options;
  const { onRemoved = () => {} } = options;
  const transactions = new EventTransactions({ db, now, runningMs, newId, onCommit });
  const rate = new ServiceRate(clock);
  const admission = new Admission(limit, rate);
  const own = { db, transactions, models, now };
  return {
    transactions,
    jobs: new JobService({ ...own, admission, digestOf, newId, onCancelled, onRemoved }),
    attempts: new Attempts({ ...own, rate, newId, random, writeAlong, onCompleted }),
    administration: new Administration({ ...own, admission, rate, runningMs, onRemoved }),
  };
}
