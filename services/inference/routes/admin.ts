/**
 * `/admin…`: for operators, not for users.
 *
 * @module
 */
import { checked, jsonBody } from "@fovea/http/problem_response";
import { decimalNumber, queryOf } from "@fovea/http/query";
import { type ProblemCode, PROBLEMS } from "@fovea/contract";
import { Hono } from "hono";
import { z } from "zod";
import { type Administration, REMOVABLE } from "../jobs/administration.ts";
import { taskType } from "../tasks/schemas.ts";
import type { PoolState } from "../workers/pool.ts";

/** A century. */
const MAX_DAYS = 36_525;

export const retryRequest = z.strictObject({
  task_type: taskType.optional(),
  error_code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]).optional(),
  since: z.int().min(0).optional(),
});

export const cleanupQuery = z.strictObject({
  status: z.enum(REMOVABLE).optional(),
  older_than_days: decimalNumber(0, MAX_DAYS, "since the job ended; 0: however lately it did")
    .optional(),
}).refine(({ status, older_than_days }) => (status ?? older_than_days) !== undefined, {
  error: "status or older_than_days is expected, or both",
});

/** What all jobs together are like, and what can be done with many of them at once. */
export function adminRoutes(
  administration: Administration,
  workers: () => PoolState,
): Hono {
  const app = new Hono();

  app.get("/admin/stats", async (c) => {
    return c.json({ ...await administration.stats(), workers: workers() });
  });

  app.post("/admin/retry", async (c) => {
    const wanted = c.req.header("Content-Length") === "0" || c.req.raw.body === null
      ? {}
      : await jsonBody(c);
    const filter = checked(retryRequest, wanted, "malformed_body");
    return c.json({ retried: await administration.retryFailed(filter) });
  });

  app.delete("/admin/cleanup", async (c) => {
    const { status, older_than_days = 0 } = queryOf(c, cleanupQuery);
    const statuses = status === undefined ? REMOVABLE : [status];
    const by_status = await administration.removeEnded(statuses, older_than_days);
    const removed = Object.values(by_status).reduce((sum, count) => sum + count, 0);
    return c.json({ removed, by_status });
  });

  return app;
}
