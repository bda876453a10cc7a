import type { Timings } from "@fovea/contract";
import { Counter, Histogram, type Registry } from "prom-client";
import type { EmittedEvent } from "../jobs/event_transactions.ts";

/** Seconds: from a small picture in a small network to a job that waited for an hour. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];

/**
 * Adds what becomes of jobs. All of it follows from their events.
 *
 * @returns takes the events of jobs, once they are committed
 */
export function jobMetrics(registry: Registry): (events: readonly EmittedEvent[]) => void {
  const registers = [registry];
  const submitted = new Counter({
    name: "inference_jobs_submitted_total",
    help: "New jobs",
    labelNames: ["task"],
    registers,
  });
  const attempts = new Counter({
    name: "inference_job_attempts_total",
    help: "How often a worker was given a job",
    labelNames: ["task"],
    registers,
  });
  const retries = new Counter({
    name: "inference_job_retries_total",
    help: "How often a job was put back into the queue, by why; none: the service had ended",
    labelNames: ["task", "code"],
    registers,
  });
  const ended = new Counter({
    name: "inference_jobs_ended_total",
    help: "Ends of jobs: completed, or the code of their error",
    labelNames: ["task", "outcome"],
    registers,
  });
  const duration = new Histogram({
    name: "inference_job_duration_seconds",
    help: "What each stage of completed jobs took",
    labelNames: ["task", "stage"],
    buckets: BUCKETS,
    registers,
  });

  function count({ event, job }: EmittedEvent): void {
    const task = job.task_type;
    switch (event) {
      case "job_created":
        return submitted.inc({ task });
      case "job_started":
        return attempts.inc({ task });
      case "job_retrying":
        return retries.inc({ task, code: job.error_code ?? "none" });
      case "job_completed":
      case "job_failed":
      case "job_cancelled":
        ended.inc({ task, outcome: job.error_code ?? "completed" });
    }
    const timings: Partial<Timings> = JSON.parse(job.timings_ms ?? "{}");
    for (const [stage, stageMs] of Object.entries(timings)) {
      duration.observe({ task, stage }, stageMs / 1000);
    }
  }
  return (events) => events.forEach(count);
}
