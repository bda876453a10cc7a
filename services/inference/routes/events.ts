import { queryOf } from "@fovea/http/query";
import { type JobEvent, TASK_TYPES } from "@fovea/contract";
import { Hono } from "hono";
import { z } from "zod";
import type { EventFeed, FeedItem } from "../events/event_feed.ts";

export const eventsQuery = z.strictObject({
  task_type: z.enum(TASK_TYPES).optional(),
  job_id: z.uuid().optional(),
});
type Filter = z.output<typeof eventsQuery>;

/** After so long a client that lost its connection is to come back. */
const RETRY_MS = 2000;

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
    return new Response(stream(feed, place, filter), {
      headers: {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
        // nginx in front would else keep events back until it has a few of them.
        "X-Accel-Buffering": "no",
      },
    });
  });
  return app;
}

function stream(feed: EventFeed, place: number, filter: Filter): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const items = feed.follow(place, gone.signal);
  const text = new TextEncoder();
  // Pulled only as fast as the client reads.
  return new ReadableStream({
    start: (controller) => controller.enqueue(text.encode(`retry: ${RETRY_MS}\n\n`)),
    async pull(controller) {
      const { value, done } = await items.next();
      if (done) controller.close();
      else controller.enqueue(text.encode(written(value, filter)));
    },
    cancel: () => gone.abort(),
  }, { highWaterMark: 0 });
}

/** The place that an id names; one that was never given out is answered as one long forgotten. */
function placeOf(lastEventId: string): number {
  return /^\d{1,15}$/.test(lastEventId) && lastEventId !== "0" ? Number(lastEventId) : -1;
}

/** A comment, which clients pass over and which keeps the connection alive. */
const NOTHING = ":\n\n";

const GAP = "event: gap\n" +
  'data: {"detail": "older events are not kept any more: those that are follow"}\n\n';

function written(item: FeedItem, filter: Filter): string {
  if (item.kind === "gap") return GAP;
  if (item.kind === "quiet") return NOTHING;
  const lines = item.events.filter(({ payload }) => passes(payload, filter))
    .map(({ seq, payload }) => `id: ${seq}\ndata: ${payload}\n\n`);
  return lines.join("") || NOTHING;
}

function passes(payload: string, { task_type, job_id }: Filter): boolean {
  if (task_type === undefined && job_id === undefined) return true;
  const { data }: JobEvent = JSON.parse(payload);
  return (task_type ?? data.task_type) === data.task_type &&
    (job_id === undefined || job_id.toLowerCase() === data.job_id.toLowerCase());
}
