/**
 * What inference answers with, for its API document.
 *
 * @module
 */
import { problemCode, schemaOf } from "@fovea/http/api";
import {
  type Info,
  type Job,
  JOB_STATUSES,
  type ModelUsed,
  type TaskInfo,
  type Timings,
} from "@fovea/contract";
import { z } from "zod";
import { anyResult, taskType } from "../tasks/schemas.ts";

const time = z.int().meta({ description: "ms since the epoch, UTC" });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const timings = schemaOf<Timings>()({
  queue: z.number(),
  fetch: z.number(),
  decode: z.number(),
  infer: z.number(),
  total: z.number(),
}).meta({ id: "Timings", description: "ms that each part of the job took" });

const modelUsed = schemaOf<ModelUsed>()({
  name: z.string(),
  sha256,
  backend: z.string(),
  preprocess: z.int().meta({ description: "grows whenever the numbers could be others" }),
  precision: z.exactOptional(z.enum(["fp32", "int8"])),
}).meta({ id: "ModelUsed", description: "what computed the result" });

/** A job. */
export const job = schemaOf<Job>()({
  job_id: z.uuid(),
  task_type: taskType,
  media_store_id: z.int(),
  status: z.enum(JOB_STATUSES),
  priority: z.int(),
  created_at: time,
  started_at: time.nullable(),
  completed_at: time.nullable(),
  attempt: z.int().meta({
    description: "how often it was tried; what the service itself broke off does not count",
  }),
  max_attempts: z.int(),
  error_message: z.string().nullable(),
  error_code: problemCode.nullable(),
  timings_ms: timings.nullable(),
  model: modelUsed.nullable(),
  sha256: sha256.nullable().meta({
    description: "of the bytes that were looked at; null before",
  }),
  result: anyResult.nullable(),
}).meta({ id: "Job" });

/** The codes of any call that writes, where the disk is full, gone, or the database locked by somebody. */
export const unwritable = ["storage_full", "storage_missing", "not_ready"] as const;

/** Of `DELETE /job/{job_id}`. */
export const deleted = z.object({ status: z.literal("deleted") });

const taskInfo = schemaOf<TaskInfo>()({
  task_type: taskType,
  state: z.enum(["preparing", "ready", "unavailable"]).meta({
    description: "preparing: jobs are taken and wait; unavailable: they are refused",
  }),
  model: z.object({
    name: z.string(),
    sha256,
    semantic: z.boolean().meta({
      description: "false for the fixture, whose numbers mean nothing",
    }),
    licence: z.string(),
    backend: z.exactOptional(z.string()).meta({ description: "what runs it, once it is ready" }),
  }).nullable(),
  progress: z.exactOptional(z.object({
    bytes: z.int(),
    total_bytes: z.int(),
    seconds_left: z.int().nullable().meta({
      description: "at the pace of the last half minute; null where that is not known",
    }),
  })).meta({ description: "how far its model has come, while it is fetched" }),
  detail: z.exactOptional(z.string()).meta({
    description: "why it is not ready, and what to do about it",
  }),
}).meta({ id: "TaskInfo" });

/** Of `GET /info`. */
export const info = schemaOf<Info>()({
  name: z.literal("fovea-inference"),
  version: z.string(),
  mqtt_url: z.string().meta({
    description:
      "where who calls reaches the broker: on this machine by TCP, from elsewhere by WebSocket",
  }),
  mqtt_built_in: z.boolean().meta({
    description:
      "whether the broker is inference's own, which takes inference's tokens as password",
  }),
  tasks: z.array(taskInfo),
  workers: z.int(),
  backend: z.string(),
}).meta({ id: "Info" });

const checkState = z.object({
  state: z.enum(["ok", "degraded", "failed"]),
  detail: z.exactOptional(z.string()),
});

/** Of `GET /health/ready`. */
export const readiness = z.object({
  status: z.enum(["ready", "degraded", "not ready"]),
  checks: z.record(z.string(), checkState),
});
