import { Counter, type Registry } from "prom-client";
import { WORKER_ENDS, type WorkerEnd } from "../workers/member.ts";

/** Adds how often worker threads ended. @returns takes the reason of each end */
export function workerMetrics(registry: Registry): (reason: WorkerEnd) => void {
  const ended = new Counter({
    name: "inference_worker_ends_total",
    help: "Worker threads that ended, by why; another comes with the next job",
    labelNames: ["reason"],
    registers: [registry],
  });
  // A counter that appears with its first event has no increase that an alarm could see.
  for (const reason of WORKER_ENDS) ended.inc({ reason }, 0);
  return (reason) => ended.inc({ reason });
}
