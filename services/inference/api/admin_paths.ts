/**
 * The calls under `/admin`, as the API document shows them.
 *
 * @module
 */
import { type ApiPaths, json, jsonBodyOf, schemaOf } from "@fovea/http/api";
import { JOB_STATUSES } from "@fovea/contract";
import { z } from "zod";
import type { QueueStats } from "../jobs/administration.ts";
import { cleanupQuery, retryRequest } from "../routes/admin.ts";
import { taskType } from "../tasks/schemas.ts";
import { END_REASONS } from "../workers/pooled_worker.ts";
import type { PoolState } from "../workers/pool.ts";
import { unwritable } from "./schemas.ts";

const tag = "admin";

const byStatus = z.record(z.enum(JOB_STATUSES), z.int());

const workers = schemaOf<PoolState>()({
  size: z.int().meta({ description: "how many there are at most" }),
  alive: z.int(),
  busy: z.int(),
  restarts: z.record(z.enum(END_REASONS), z.int()),
  unfit: z.record(z.string(), z.string()).meta({
    description: "what is wrong with a worker, by its number",
  }),
});

const stats = schemaOf<QueueStats & { workers: PoolState }>()({
  by_task: z.record(taskType, byStatus),
  by_status: byStatus,
  queue: z.object({
    depth: z.int(),
    limit: z.int(),
    oldest_pending_ms: z.record(taskType, z.number().nullable()),
  }),
  throughput: z.object({ last_minute: z.int(), per_second: z.number() }),
  workers,
}).meta({ id: "Stats" });

const removed = z.object({
  removed: z.int(),
  by_status: z.partialRecord(z.enum(JOB_STATUSES), z.int()),
});

export const adminPaths: ApiPaths = {
  "/admin/stats": {
    get: {
      id: "stats",
      tag,
      summary: "Count jobs, and see how the queue and the workers are",
      answers: { 200: json(stats, "the figures") },
    },
  },
  "/admin/retry": {
    post: {
      id: "retryFailedJobs",
      tag,
      summary: "Try all jobs once more that ended in error",
      description: "Those of a task, with a code, or that ended since a time; without a body all.",
      body: {
        ...jsonBodyOf(retryRequest, { error_code: "media_store_unreachable" }),
        required: false,
      },
      answers: { 200: json(z.object({ retried: z.int() }), "how many wait again") },
      problems: ["malformed_body", ...unwritable],
    },
  },
  "/admin/cleanup": {
    delete: {
      id: "removeEndedJobs",
      tag,
      summary: "Remove ended jobs, by status, age, or both",
      parameters: { query: cleanupQuery },
      answers: { 200: json(removed, "how many were removed") },
      problems: ["invalid_parameter", ...unwritable],
    },
  },
};
