import { Problem, type TaskInfo } from "@fovea/contract";
import { publicAddress } from "@fovea/process/public_address";
import { type Kysely, sql } from "kysely";
import type { OutboxState } from "./events/outbox.ts";
import type { Tables } from "./database/tables.ts";
import { callMediaStore, type MediaStore } from "./media_store.ts";
import type { PoolState } from "./workers/pool.ts";

/** Whether one thing that the service needs is there. */
export interface Check {
  name: string;
  /** Without it the service can do less, but does its work. */
  optional?: boolean;
  /** @throws {Problem} saying what is missing; what else it throws is logged, and not shown */
  check: () => Promise<void> | void;
}

export interface Needs {
  db: Kysely<Tables>;
  tasks: () => TaskInfo[];
  workers: () => PoolState;
  mediaStore: MediaStore;
  /** Why jobs wait for media_store; null where they don't. */
  outage: () => string | null;
  /** Why results may be of other pictures than media_store has; null where they are not. */
  storeTrouble: () => Promise<string | null>;
  /** Why the broker can't be reached; null where it can. */
  brokerTrouble: () => string | null;
  outbox: () => Promise<OutboxState>;
}

/** For media_store to say that it is alive. */
const MEDIA_STORE_TIMEOUT_MS = 2000;

/** Within it a broker that does its work has acknowledged an event. */
const SLOW_ACKNOWLEDGEMENT_MS = 10_000;

/**
 * What must be there for jobs to be done: a database that can be written, a model that every worker
 * has run, a worker that gives known answers, media_store. Without the broker events wait, without a
 * further model its task does.
 */
export function readinessChecks(
  { db, tasks, workers, mediaStore, outage, storeTrouble, brokerTrouble, outbox }: Needs,
): Check[] {
  return [
    {
      name: "database",
      check: async () => {
        // To write what is there already would write nothing, also on a full disk.
        await sql`UPDATE instance SET write_checks = write_checks + 1`.execute(db).catch(
          (error) => {
            // SQLite's own words, such as "database or disk is full", name no file.
            throw "errcode" in error ? notReady(error.message) : error;
          },
        );
      },
    },
    {
      name: "models",
      check: () => {
        if (tasks().some(({ state }) => state === "ready")) return;
        throw notReady(`no task is ready: ${tasks().map(sayState).join("; ")}`);
      },
    },
    {
      name: "all_models",
      optional: true,
      check: () => {
        const waiting = tasks().filter(({ state }) => state !== "ready");
        if (waiting.length > 0) throw notReady(waiting.map(sayState).join("; "));
      },
    },
    {
      name: "workers",
      check: () => {
        const { size, unfit } = workers();
        if (Object.keys(unfit).length >= size) throw notReady(sayUnfit(unfit));
      },
    },
    {
      name: "all_workers",
      optional: true,
      check: () => {
        const { unfit } = workers();
        if (Object.keys(unfit).length > 0) throw notReady(sayUnfit(unfit));
      },
    },
    {
      name: "media_store",
      check: async () => {
        const reason = outage();
        if (reason !== null) throw notReady(`${reason}: jobs wait until it is back`);
        const path = "/health/ready";
        const signal = AbortSignal.timeout(MEDIA_STORE_TIMEOUT_MS);
        const response = await callMediaStore(mediaStore, path, { signal });
        await response.body?.cancel();
        if (response.ok) return;
        const address = publicAddress(mediaStore.url);
        throw notReady(`${address}${path} answered ${response.status}`);
      },
    },
    {
      name: "same_media_store",
      optional: true,
      check: async () => {
        const trouble = await storeTrouble();
        if (trouble !== null) throw notReady(trouble);
      },
    },
    {
      name: "broker",
      optional: true,
      check: async () => {
        const trouble = brokerTrouble();
        const { pending, oldestAgeMs } = await outbox();
        const late = oldestAgeMs !== null && oldestAgeMs > SLOW_ACKNOWLEDGEMENT_MS;
        if (trouble === null && !late) return;
        const waiting = oldestAgeMs === null
          ? "no event waits"
          : `events waiting: ${pending}, the oldest for ${Math.round(oldestAgeMs / 1000)} s`;
        throw notReady(`${trouble ?? "it takes events and acknowledges none"}; ${waiting}`);
      },
    },
  ];
}

function notReady(detail: string): Problem {
  return new Problem("not_ready", detail);
}

function sayState({ task_type, state, detail }: TaskInfo): string {
  return detail === undefined ? `${task_type} is ${state}` : `${task_type} is ${state}: ${detail}`;
}

function sayUnfit(unfit: PoolState["unfit"]): string {
  return Object.entries(unfit).map(([worker, what]) => `worker ${worker}: ${what}`).join("; ");
}
