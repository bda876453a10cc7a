/**
 * `GET /changes`, page by page, and `GET /changes/stream`, as server-sent events: what happens to
 * entities, for whoever keeps something by their ids.
 *
 * @module
 */
import { type ChangePage, type ChangePosition, Problem } from "@fovea/contract";
import { eventStream, KEEP_ALIVE, serverSentEvent } from "@fovea/http/event_stream";
import { sentAs } from "@fovea/http/api";
import { queryOf, wholeNumber } from "@fovea/http/query";
import { Hono } from "hono";
import { entityId, strictObject } from "../entities/fields.ts";
import {
  arePaired,
  transactionNumber,
  transactionTag,
  UNPAIRED,
} from "../entities/store_routes.ts";
import type { ChangeFeed } from "./feed.ts";
import type { ChangeRepository } from "./repository.ts";

/** What has been seen. */
const position = {
  after: transactionNumber.optional(),
  after_id: entityId.optional().meta({
    description: "of the entities that it changed, the last one that one has seen; else all",
    ...sentAs({ type: "integer", minimum: 1 }),
  }),
  tag: transactionTag.optional(),
};

const isWhole = (query: { after?: unknown; after_id?: unknown; tag?: unknown }) =>
  arePaired(query) && (query.after !== undefined || query.after_id === undefined);

export const changesQuery = strictObject("parameter", {
  ...position,
  limit: wholeNumber(1, 5000, "entries at most", { default: 1000 }).default(1000),
}).refine(isWhole, UNPAIRED);

export const streamQuery = strictObject("parameter", position).refine(isWhole, UNPAIRED);

export function changeRoutes(
  { changes, feed }: { changes: ChangeRepository; feed: ChangeFeed },
): Hono {
  const routes = new Hono({ strict: false });
  routes.get("/", async (c) => {
    const { limit, ...seen } = queryOf(c, changesQuery);
    return c.json(await changes.page(positionOf(seen), limit));
  });
  routes.get("/stream", async (c) => {
    const seen = positionOf(queryOf(c, streamQuery));
    const lastEventId = c.req.header("Last-Event-ID");
    const gone = new AbortController();
    const pages = await feed.follow(
      lastEventId === undefined ? seen : readEventId(lastEventId),
      gone.signal,
    );
    return eventStream(c.req.raw, textsOf(pages), gone);
  });
  return routes;
}

function positionOf(
  { after, after_id, tag }: {
    after?: number | undefined;
    after_id?: number | undefined;
    tag?: string | undefined;
  },
): ChangePosition | undefined {
  return after === undefined || tag === undefined ? undefined : { after, after_id, tag };
}

async function* textsOf(pages: AsyncGenerator<ChangePage>): AsyncGenerator<string> {
  let isNamed = false;
  for await (const { store_id, changes } of pages) {
    // First of all, whose changes these are: the same ids mean other entities elsewhere.
    if (!isNamed) yield serverSentEvent({ event: "store", data: JSON.stringify({ store_id }) });
    isNamed = true;
    const events = changes.map((change) =>
      serverSentEvent({
        id: `${change.transaction_id}-${change.id}-${change.tag}`,
        data: JSON.stringify(change),
      })
    );
    yield events.join("") || KEEP_ALIVE;
  }
}

/** @throws {Problem} `invalid_parameter` where no event had this id */
function readEventId(id: string): ChangePosition {
  const [, after, after_id, tag] = id.match(/^(\d{1,15})-(\d{1,15})-([0-9a-f]{16})$/) ?? [];
  if (after === undefined || after_id === undefined || tag === undefined) {
    throw new Problem("invalid_parameter", `Last-Event-ID is "${id}": no event has such an id`);
  }
  return { after: Number(after), after_id: Number(after_id), tag };
}
