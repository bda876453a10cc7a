import type { Access } from "@fovea/common/access";
import type { Logger } from "@fovea/common/log";
import { answerProblems } from "@fovea/common/problem_response";
import { discardUnreadBody } from "@fovea/common/unread_body";
import type { Info } from "@fovea/contract";
import { Hono } from "hono";
import type { EventFeed } from "./events/event_feed.ts";
import type { Administration } from "./jobs/administration.ts";
import type { JobService } from "./jobs/service.ts";
import { adminRoutes } from "./routes/admin.ts";
import { eventRoutes } from "./routes/events.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { mqttRoute } from "./routes/mqtt.ts";
import { type Check, stateRoutes } from "./routes/state.ts";
import type { PoolState } from "./workers/pool.ts";

export interface AppOptions {
  jobs: JobService;
  administration: Administration;
  workers: () => PoolState;
  feed: EventFeed;
  access: Access;
  info: () => Info;
  checks: readonly Check[];
  /** Takes a WebSocket that speaks MQTT; undefined where the broker is not ours. */
  accept: ((socket: WebSocket) => void) | undefined;
  log: Logger;
}

/** The HTTP face of inference. */
export function createApp({ access, accept, log, ...parts }: AppOptions): Hono {
  const app = new Hono({ strict: false });
  app.use(discardUnreadBody);
  answerProblems(app, log);
  app.route("/", stateRoutes(parts.info, parts.checks));
  app.route("/", jobRoutes(parts.jobs, access));
  app.route("/", adminRoutes(parts.administration, parts.workers, access));
  app.route("/", eventRoutes(parts.feed, access));
  if (accept !== undefined) app.route("/", mqttRoute(accept));
  return app;
}
