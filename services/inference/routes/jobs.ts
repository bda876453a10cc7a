import { checked, jsonBody } from "@fovea/http/problem_response";
import { pageParameters, queryOf, wholeNumber } from "@fovea/http/query";
import { JOB_STATUSES, pageOf, Problem, TASK_TYPES, type TaskType } from "@fovea/contract";
import { Hono } from "hono";
import { z } from "zod";
import { DEFAULT_PRIORITY, type JobService } from "../jobs/service.ts";

export const taskType = z.enum(TASK_TYPES);
const entityId = z.int().positive();
const MAX_PRIORITY = 10;

const jobRequest = z.object({
  media_store_id: entityId,
  priority: z.int().optional(),
  job_id: z.uuid().optional(),
  force: z.boolean().optional(),
});

/** The body, by task; members that nobody knows are passed over. */
export const taskRequests = {
  image_embedding: jobRequest,
  face_detection: jobRequest.extend({
    min_confidence: z.number().min(0).max(1).optional(),
    max_faces: z.int().min(1).optional(),
  }),
} satisfies Record<TaskType, z.ZodObject>;

export const listQuery = z.strictObject({
  status: z.enum(JOB_STATUSES).optional(),
  task_type: taskType.optional(),
  media_store_id: wholeNumber(1, Number.MAX_SAFE_INTEGER, "the entity that was looked at")
    .optional(),
  ...pageParameters("jobs"),
});

/** `/job…`: submit, look at, list, retry and remove jobs. */
export function jobRoutes(service: JobService): Hono {
  const app = new Hono();

  app.post("/job/:task_type", async (c) => {
    const task = taskType.safeParse(c.req.param("task_type"));
    if (!task.success) throw unknownTask(c.req.param("task_type"));
    const request = checked(taskRequests[task.data], await jsonBody(c), "malformed_body");
    const { priority = DEFAULT_PRIORITY } = request;
    if (priority < 0 || priority > MAX_PRIORITY) {
      throw new Problem(
        "priority_out_of_range",
        `priority is ${priority}: 0 to ${MAX_PRIORITY} are allowed, higher first`,
      );
    }
    const { job, isNew } = await service.submit(task.data, request);
    return c.json(job, isNew ? 201 : 200, { Location: `/job/${job.job_id}` });
  });

  app.get("/job", async (c) => {
    const { page, page_size, ...filter } = queryOf(c, listQuery);
    const { jobs, total } = await service.list(filter, page, page_size);
    return c.json(pageOf(jobs, page, page_size, total));
  });

  app.get("/job/:job_id", async (c) => {
    return c.json(await service.get(c.req.param("job_id")));
  });

  app.post("/job/:job_id/retry", async (c) => {
    return c.json(await service.retry(c.req.param("job_id")));
  });

  app.delete("/job/:job_id", async (c) => {
    await service.remove(c.req.param("job_id"));
    return c.json({ status: "deleted" });
  });

  return app;
}

function unknownTask(name: string): Problem {
  return new Problem(
    "unknown_task_type",
    `there is no task "${name}": ${TASK_TYPES.join(" and ")} are known`,
  );
}
