/**
 * The calls under `/job`, as the API document shows them.
 *
 * @module
 */
import { type ApiPaths, json, jsonBodyOf, pageSchema } from "@fovea/http/api";
import { z } from "zod";
import { anyTaskRequest, listQuery } from "../routes/jobs.ts";
import { OPTIONS, taskType } from "../tasks/schemas.ts";
import { deleted, job, unwritable } from "./schemas.ts";

const tag = "jobs";
/** Which members of the body are for which task. */
const optionsText = Object.entries(OPTIONS).map(([type, shape]) => {
  const names = Object.keys(shape).map((name) => `\`${name}\``);
  if (names.length === 0) return "";
  return `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} for ${type} alone. `;
}).join("");

const one = { path: z.object({ job_id: z.string() }) };

export const jobPaths: ApiPaths = {
  "/job/{task_type}": {
    post: {
      id: "submitJob",
      tag,
      summary: "Ask something of a picture",
      description: "The end is published over MQTT, on `inference/job/{job_id}/completed`. " +
        optionsText +
        "Where the same bytes were asked the same before, of the same model and preprocessing, and " +
        "there is a result or may get to be one, that job is the answer: its end, where it has " +
        "ended, is published once more, and a higher `priority` is taken over while it waits. `force` " +
        "makes a new job all the same.",
      parameters: { path: z.object({ task_type: taskType }) },
      body: jsonBodyOf(anyTaskRequest, { media_store_id: 1 }),
      answers: {
        201: json(job, "the new job", { Location: "where it is" }),
        200: json(job, "the job that asks the same, or came with the same job_id before"),
      },
      problems: [
        "unknown_task_type",
        "priority_out_of_range",
        "malformed_body",
        "job_id_taken",
        "model_unavailable",
        "queue_full",
        ...unwritable,
      ],
    },
  },
  "/job/": {
    get: {
      id: "listJobs",
      tag,
      summary: "List jobs, newest first",
      parameters: { query: listQuery },
      answers: { 200: json(pageSchema(job), "a page of them") },
      problems: ["invalid_parameter"],
    },
  },
  "/job/{job_id}": {
    get: {
      id: "getJob",
      tag,
      summary: "Look at a job",
      parameters: one,
      answers: { 200: json(job, "the job, with its result once it has one") },
      problems: ["job_not_found"],
    },
    delete: {
      id: "deleteJob",
      tag,
      summary: "Cancel a job, or remove one that has ended",
      parameters: one,
      answers: { 200: json(deleted, "it is cancelled or removed") },
      problems: ["job_not_found", ...unwritable],
    },
  },
  "/job/{job_id}/retry": {
    post: {
      id: "retryJob",
      tag,
      summary: "Try a job once more that ended in error",
      parameters: one,
      answers: { 200: json(job, "the job, which waits again") },
      problems: ["job_not_found", "job_not_failed", "queue_full", ...unwritable],
    },
  },
};
