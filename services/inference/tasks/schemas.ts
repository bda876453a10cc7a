/**
 * What is asked of tasks and what they answer, as schemas. Only the main thread needs them.
 *
 * @module
 */
import type { JobResult, TaskType } from "@fovea/contract";
import { schemaOf } from "@fovea/http/api";
import { z } from "zod";
import { TASKS } from "./list.ts";

const tools = { z, schemaOf };

export const taskType: z.ZodType<TaskType> = z.enum(TASKS.types as [TaskType, ...TaskType[]]);

/** The members of a job's body that are its task's own, by task. */
export const OPTIONS: Readonly<Record<TaskType, z.ZodRawShape>> = TASKS.map((task) =>
  task.optionsShape?.(tools) ?? {}
);

/** A result of any task; the contract has the types of those that clients know. */
export const anyResult = z.union(TASKS.all.map((task) => task.resultSchema(tools))) as z.ZodType<
  JobResult
>;
