import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { Counter, Histogram, type Registry } from "prom-client";

/** Seconds: from a lookup to an upload over a slow line. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Counts requests and times them until their answer begins, by method, status and the pattern of the
 * route that answered. What no route answered is "unmatched", whatever its path was, and a method
 * that HTTP doesn't know is "other": who sends rubbish must not be able to fill the memory.
 */
export function requestMetrics(registry: Registry): MiddlewareHandler {
  const labelNames = ["method", "route", "status"] as const;
  const registers = [registry];
  const requests = new Counter({
    name: "http_requests_total",
    help: "Requests answered",
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "From a request's head to the beginning of its answer",
    labelNames,
    buckets: BUCKETS,
    registers,
  });
  return async function countRequest(c, next) {
    const start = performance.now();
    await next();
    const { method } = c.req;
    const pattern = routePath(c, -1);
    const labels = {
      method: METHODS.has(method) ? method : "other",
      // The last of the matching routes is one that answers, unless only middleware matched.
      route: pattern.endsWith("*") ? "unmatched" : pattern,
      status: c.res.status,
    };
    requests.inc(labels);
    duration.observe(labels, (performance.now() - start) / 1000);
  };
}
