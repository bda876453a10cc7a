import type { Access } from "@fovea/common/access";
import { httpApp } from "@fovea/common/http_app";
import type { Logger } from "@fovea/common/log";
import { selfRoutes } from "@fovea/common/self_routes";
import type { Info } from "@fovea/contract";
import type { Hono } from "hono";
import type { Registry } from "prom-client";
import { describeInference } from "./api/document.ts";
import manifest from "./deno.json" with { type: "json" };
import type { JobService } from "./jobs/service.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { mqttRoute } from "./routes/mqtt.ts";
import { type Check, stateRoutes } from "./routes/state.ts";

export interface AppOptions {
  jobs: JobService;
  access: Access;
  info: () => Info;
  checks: readonly Check[];
  /** Takes a WebSocket that speaks MQTT; undefined where the broker is not ours. */
  accept: ((socket: WebSocket) => void) | undefined;
  log: Logger;
  /** Where the figures of the HTTP side go. */
  metrics: Registry;
}

const SELF = { name: "fovea-inference", version: manifest.version };

/** The HTTP face of inference. */
export function createApp({ jobs, access, info, checks, accept, log, metrics }: AppOptions): Hono {
  const app = httpApp({ log, metrics });
  const describe = () => describeInference(accept !== undefined);
  app.route("/", selfRoutes({ ...SELF, describe, metrics, access }));
  app.route("/", stateRoutes(info, checks));
  app.route("/", jobRoutes(jobs, access));
  if (accept !== undefined) app.route("/", mqttRoute(accept));
  return app;
}
