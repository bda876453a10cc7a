import { Counter, Gauge, type Registry } from "prom-client";
import type { PoolState } from "../workers/pool.ts";

/** Adds how many workers there are, and how often and why one had to be ended. */
export function workerMetrics(registry: Registry, state: () => PoolState): void {
  const registers = [registry];
  new Gauge({
    name: "inference_workers",
    help: "Worker threads; they come with jobs and go when idle",
    registers,
    collect() {
      this.set(state().alive);
    },
  });
  new Gauge({
    name: "inference_workers_unfit",
    help: "Workers that could not be loaded, or gave a wrong answer to the known picture",
    registers,
    collect() {
      this.set(Object.keys(state().unfit).length);
    },
  });
  new Counter({
    name: "inference_worker_restarts_total",
    help: "Worker threads that had to be ended, by why",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(state().restarts)) this.inc({ reason }, count);
    },
  });
}
