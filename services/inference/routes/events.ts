import { eventStream, KEEP_ALIVE, serverSentEvent } from "@fovea/http/event_stream";
import { queryOf } from "@fovea/http/query";
import type { JobEvent } from "@fovea/contract";
import { Hono } from "hono";
import { z } from "zod";
import type { EventFeed, FeedItem } from "../events/event_feed.ts";
import { taskType } from "../tasks/schemas.ts";

export const eventsQuery = z.strictObject({
  task_type: taskType.optional(),
  job_id: z.uuid().optional(),
});
type Filter = z.output<typeof eventsQuery>;

/**
 * `GET /events`: the events of jobs as server-sent events (WHATWG HTML, 9.2), the same as on
 * `inference/events`.
 */
export function eventRoutes(feed: EventFeed): Hono {
  const app = new Hono();
  app.get("/events", async (c) => {
    const filter = queryOf(c, eventsQuery);
    const lastEventId = c.req.header("Last-Event-ID");
    const place = lastEventId === undefined ? await feed.end() : placeOf(lastEventId);
    const gone = new AbortController();
    return eventStream(c.req.raw, texts(feed.follow(place, gone.signal), filter), gone);
  });
  return app;
}

async function* texts(items: AsyncGenerator<FeedItem>, filter: Filter): AsyncGenerator<string> {
  for await (const item of items) yield written(item, filter);
}

/** The place that an id names; one that was never given out is answered as one long forgotten. */
function placeOf(lastEventId: string): number {
  return /^\d{1,15}$/.test(lastEventId) && lastEventId !== "0" ? Number(lastEventId) : -1;
}

const GAP = serverSentEvent({
  event: "gap",
  data: '{"detail": "older events are not kept any more: those that are follow"}',
});

function written(item: FeedItem, filter: Filter): string {
  if (item.kind === "gap") return GAP;
  if (item.kind === "quiet") return KEEP_ALIVE;
  const events = item.events.filter(({ payload }) => passes(payload, filter))
    .map(({ seq, payload }) => serverSentEvent({ id: String(seq), data: payload }));
  return events.join("") || KEEP_ALIVE;
}

function passes(payload: string, { task_type, job_id }: Filter): boolean {
  if (task_type === undefined && job_id === undefined) return true;
  const { data }: JobEvent = JSON.parse(payload);
  return (task_type ?? data.task_type) === data.task_type &&
    (job_id === undefined || job_id.toLowerCase() === data.job_id.toLowerCase());
}
