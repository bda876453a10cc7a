import type { Access } from "@fovea/common/access";
import type { Logger } from "@fovea/common/log";
import { answerProblems } from "@fovea/common/problem_response";
import { discardUnreadBody } from "@fovea/common/unread_body";
import type { Info } from "@fovea/contract";
import { Hono } from "hono";
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
}

/** The HTTP face of inference. */
export function createApp({ jobs, access, info, checks, accept, log }: AppOptions): Hono {
  const app = new Hono({ strict: false });
  app.use(discardUnreadBody);
  answerProblems(app, log);
  app.route("/", stateRoutes(info, checks));
  app.route("/", jobRoutes(jobs, access));
  if (accept !== undefined) app.route("/", mqttRoute(accept));
  return app;
}
