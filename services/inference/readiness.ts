import { connectionFailure, type TaskInfo } from "@fovea/contract";
import { type Kysely, sql } from "kysely";
import type { Tables } from "./jobs/tables.ts";
import type { Check } from "./routes/state.ts";

export interface Needs {
  db: Kysely<Tables>;
  tasks: () => TaskInfo[];
  mediaStoreUrl: string;
  brokerConnected: () => boolean;
}

/** Milliseconds that media_store has to say that it is alive. */
const PATIENCE = 2000;

/**
 * What must be there for jobs to be done: a database that can be written, a model that every worker
 * has run, media_store. Without the broker events wait, without a further model its task does.
 */
export function readinessChecks({ db, tasks, mediaStoreUrl, brokerConnected }: Needs): Check[] {
  return [
    {
      name: "database",
      check: async () => {
        await sql`UPDATE instance SET client_id = client_id`.execute(db);
      },
    },
    {
      name: "models",
      check: () => {
        if (tasks().some(({ state }) => state === "ready")) return;
        throw new Error(`no task is ready: ${tasks().map(sayState).join("; ")}`);
      },
    },
    {
      name: "all_models",
      optional: true,
      check: () => {
        const waiting = tasks().filter(({ state }) => state !== "ready");
        if (waiting.length > 0) throw new Error(waiting.map(sayState).join("; "));
      },
    },
    {
      name: "media_store",
      check: async () => {
        const url = `${mediaStoreUrl}/health`;
        const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) })
          .catch((error) => {
            throw new Error(`${url} can't be reached: ${connectionFailure(error)}`);
          });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      },
    },
    {
      name: "broker",
      optional: true,
      check: () => {
        if (!brokerConnected()) throw new Error("not connected: events are kept until it is back");
      },
    },
  ];
}

function sayState({ task_type, state, detail }: TaskInfo): string {
  return detail === undefined ? `${task_type} is ${state}` : `${task_type} is ${state}: ${detail}`;
}
