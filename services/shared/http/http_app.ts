import { Hono } from "hono";
import type { Registry } from "prom-client";
import type { Logger } from "@fovea/process/log";
import { requestMetrics } from "./request_metrics.ts";
import { answerProblems } from "./problem_response.ts";
import { requestIds } from "./request_id.ts";
import { requestLog } from "./request_log.ts";
import { discardUnreadBody } from "./unread_body.ts";

/** An app without routes that does with every request what both services do. */
export function httpApp({ log, metrics }: { log: Logger; metrics: Registry }): Hono {
  const app = new Hono({ strict: false });
  app.use(discardUnreadBody, requestIds, requestLog(log), requestMetrics(metrics));
  answerProblems(app, log);
  return app;
}
