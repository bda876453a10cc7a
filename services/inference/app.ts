import { type Access, accessGuard } from "@fovea/http/access";
import { httpApp, type HttpOptions } from "@fovea/http/http_app";
import { selfRoutes } from "@fovea/http/self_routes";
import { INFERENCE_RIGHTS, type Info } from "@fovea/contract";
import type { Hono } from "hono";
import { describeInference } from "./api/document.ts";
import manifest from "./deno.json" with { type: "json" };
import type { EventFeed } from "./events/event_feed.ts";
import type { Administration } from "./jobs/administration.ts";
import type { JobService } from "./jobs/service.ts";
import { adminRoutes } from "./routes/admin.ts";
import { eventRoutes } from "./routes/events.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { mqttRoute } from "./routes/mqtt.ts";
import type { Check } from "./readiness.ts";
import { stateRoutes } from "./routes/state.ts";
import type { PoolState } from "./workers/pool.ts";

export interface AppOptions extends HttpOptions {
  jobs: JobService;
  administration: Administration;
  workers: () => PoolState;
  feed: EventFeed;
  access: Access;
  info: () => Info;
  checks: readonly Check[];
  /** Takes a WebSocket that speaks MQTT; undefined where the broker is not ours. */
  accept: ((socket: WebSocket) => void) | undefined;
}

const SELF = { name: "fovea-inference", version: manifest.version };

/** The HTTP face of inference. */
export function createApp({ access, accept, metrics, ...parts }: AppOptions): Hono {
  const app = httpApp({ ...parts, metrics });
  app.use(accessGuard(access, INFERENCE_RIGHTS));
  const describe = () => describeInference(accept !== undefined);
  app.route("/", selfRoutes({ ...SELF, describe, metrics }));
  app.route("/", stateRoutes({ ...parts, isBroker: accept !== undefined }));
  app.route("/", jobRoutes(parts.jobs));
  app.route("/", adminRoutes(parts.administration, parts.workers));
  app.route("/", eventRoutes(parts.feed));
  if (accept !== undefined) app.route("/", mqttRoute(accept));
  return app;
}
