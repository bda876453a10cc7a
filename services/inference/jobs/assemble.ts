/**
 * The queue put together.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { ServedModels } from "../tasks/served_models.ts";
import { Administration } from "./administration.ts";
import { Admission } from "./admission.ts";
import { Attempts } from "./attempts.ts";
import { JobService } from "./service.ts";
import { ServiceRate } from "./service_rate.ts";
import { Steps, type ToldStep } from "./steps.ts";
import type { JobRow, Tables } from "../database/tables.ts";

export interface QueueOptions {
  db: Kysely<Tables>;
  models: ServedModels;
  /** How many jobs may wait. */
  limit: number;
  /** The digest of an entity's bytes as they are now; null where media_store can't say. */
  digestOf: (entityId: number) => Promise<string | null>;
  /** Told after steps have been written: there may be a job to begin and events to send. */
  onChange: (told: readonly ToldStep[]) => void;
  /** Told that a job has been completed. */
  onCompleted: (job: JobRow) => void;
  /** Told that a job was cancelled while a worker is busy with it. */
  onCancelled: (seq: number) => void;
  /** Time of day, ms since the epoch. */
  now?: () => number;
  /** Milliseconds that only grow, whatever the time of day does. */
  clock?: () => number;
  newId?: () => string;
  /** 0…1. */
  random?: () => number;
}

/** What each party does with jobs: clients, workers, and who runs the service. */
export interface Queue {
  steps: Steps;
  jobs: JobService;
  attempts: Attempts;
  administration: Administration;
}

export function assembleQueue({
  now = Date.now,
  clock = () => performance.now(),
  newId = () => crypto.randomUUID(),
  random = Math.random,
  ...options
}: QueueOptions): Queue {
  const { db, models, limit, digestOf, onChange, onCompleted, onCancelled } = options;
  const steps = new Steps({ db, now, newId, onChange });
  const rate = new ServiceRate(clock);
  const admission = new Admission(limit, rate);
  return {
    steps,
    jobs: new JobService({ db, steps, models, admission, digestOf, now, newId, onCancelled }),
    attempts: new Attempts({ db, steps, models, rate, now, newId, random, onCompleted }),
    administration: new Administration({ db, steps, admission, rate, now }),
  };
}
