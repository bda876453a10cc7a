import { basePathOf } from "@fovea/http/base_path";
import { checked, jsonBody } from "@fovea/http/problem_response";
import { pageParameters, queryOf, wholeNumber } from "@fovea/http/query";
import { JOB_STATUSES, pageOf, Problem } from "@fovea/contract";
import { Hono } from "hono";
import { z } from "zod";
import { DEFAULT_PRIORITY, type JobService } from "../jobs/service.ts";
import { TASKS } from "../tasks/list.ts";
import { OPTIONS, taskType } from "../tasks/schemas.ts";

const entityId = z.int().positive();
const MAX_PRIORITY = 10;

const jobRequest = z.object({
  media_store_id: entityId,
  priority: z.int().optional(),
  job_id: z.uuid().optional(),
  force: z.boolean().optional(),
});

/** The body, by task; members that nobody knows are passed over. */
const TASK_REQUESTS = TASKS.map(({ type }) =>
  jobRequest.extend(OPTIONS[type] as Record<never, never>)
);

/** The body with the options of all tasks. */
export const anyTaskRequest = jobRequest.extend(
  Object.assign({}, ...Object.values(OPTIONS)) as Record<never, never>,
);

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
    const request = checked(TASK_REQUESTS[task.data]!, await jsonBody(c), "malformed_body");
    const { priority = DEFAULT_PRIORITY } = request;
    if (priority < 0 || priority > MAX_PRIORITY) {
      throw new Problem(
        "priority_out_of_range",
        `priority is ${priority}: 0 to ${MAX_PRIORITY} are allowed, higher first`,
      );
    }
    const { job, isNew } = await service.submit(task.data, request);
    return c.json(job, isNew ? 201 : 200, {
      Location: `${basePathOf(c)}/job/${job.job_id}`,
    });
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
  const known = new Intl.ListFormat("en-GB").format(TASKS.types);
  return new Problem(
    "unknown_task_type",
    `there is no task "${name}": ${known} are known`,
  );
}
