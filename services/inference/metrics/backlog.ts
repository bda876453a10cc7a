/**
 * The SQL of what waits, for {@link backlogMetrics}.
 *
 * @module
 */
import { type JobEndedEvent, type JobStepEvent, TASK_TYPES } from "@fovea/contract";
import { type Kysely, sql } from "kysely";
import type { Tables } from "../jobs/tables.ts";
import type { Unsent, Waiting } from "./backlog_metrics.ts";

export async function waitingJobs(db: Kysely<Tables>, now: number): Promise<Waiting[]> {
  const rows = await db.selectFrom("job").where("status", "=", sql.lit("pending"))
    .select(({ fn }) => [
      "task_type",
      fn.countAll<number>().as("jobs"),
      fn.min("created_at").as("since"),
    ])
    .groupBy("task_type").execute();
  return TASK_TYPES.map((task) => {
    const row = rows.find(({ task_type }) => task_type === task);
    return { task, jobs: row?.jobs ?? 0, oldest: row === undefined ? 0 : now - row.since };
  });
}

export async function unsentEvents(db: Kysely<Tables>, now: number): Promise<Unsent> {
  const { events } = await db.selectFrom("outbox").select(({ fn }) =>
    fn.countAll<number>().as("events")
  )
    .executeTakeFirstOrThrow();
  const first = await db.selectFrom("outbox").select("payload").where("payload", "!=", "")
    .orderBy("seq").limit(1).executeTakeFirst();
  if (first === undefined) return { events, oldest: 0 };
  const event: Partial<JobStepEvent & JobEndedEvent> = JSON.parse(first.payload);
  return { events, oldest: now - (event.timestamp ?? event.completed_at ?? now) };
}
