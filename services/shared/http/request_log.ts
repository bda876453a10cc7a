import type { MiddlewareHandler } from "hono";
import type { Logger } from "@fovea/process/log";
import { requestIdOf } from "./request_id.ts";

/** A line for each request: reads at level debug, changes at info, failures of the service at warn. */
export function requestLog(log: Logger): MiddlewareHandler {
  return async function logRequest(c, next) {
    const start = performance.now();
    await next();
    const { method, path } = c.req;
    const { status } = c.res;
    const isRead = method === "GET" || method === "HEAD";
    const level = status >= 500 ? "warn" : isRead ? "debug" : "info";
    const ms = Math.round(performance.now() - start);
    log[level]({ request_id: requestIdOf(c), method, path, status, ms }, "request");
  };
}
