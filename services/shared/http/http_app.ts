import { Hono } from "hono";
import type { Registry } from "prom-client";
import type { Logger } from "@fovea/process/log";
import { callerGuard, type CallerRules, crossOriginHeaders } from "./callers.ts";
import { underBasePath } from "./base_path.ts";
import { refuseEncodedBodies } from "./content_encoding.ts";
import { requestMetrics } from "./request_metrics.ts";
import { answerProblems } from "./problem_response.ts";
import { requestIds } from "./request_id.ts";
import { requestLog } from "./request_log.ts";
import { discardUnreadBody } from "./unread_body.ts";

export interface HttpOptions {
  /** By default only loopback names may be called, and no other origin may call. */
  callers?: CallerRules;
  /** Default: none. See {@link underBasePath}. */
  basePath?: string;
  log: Logger;
  metrics: Registry;
}

const STRICTEST: CallerRules = { hostname: "localhost", ALLOWED_HOSTS: [], ALLOWED_ORIGINS: [] };

/** An app without routes that does with every request what both services do. */
export function httpApp({ callers = STRICTEST, basePath = "", log, metrics }: HttpOptions): Hono {
  const app = new Hono({ strict: false });
  app.use(
    discardUnreadBody,
    underBasePath(basePath),
    requestIds,
    requestLog(log),
    requestMetrics(metrics),
    crossOriginHeaders(callers),
    callerGuard(callers),
    refuseEncodedBodies,
  );
  answerProblems(app, log);
  return app;
}
