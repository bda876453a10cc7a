/**
 * What waits in inference, and whether what it needs to go on is there.
 *
 * @module
 */
import { sharedReading } from "@fovea/process/shared_reading";
import type { TaskInfo } from "@fovea/contract";
import { Gauge, type Registry } from "prom-client";
import type { OutboxState } from "../events/outbox.ts";
import type { QueueStats } from "../jobs/administration.ts";

/** Where the figures come from; they are taken when Prometheus asks. */
export interface Backlog {
  stats(): Promise<QueueStats>;
  outbox(): Promise<OutboxState>;
  /** Results that media_store has not taken yet. */
  undelivered(): Promise<number>;
  brokerConnected(): boolean;
  /** Whether media_store is away, so that no job is begun. */
  isPaused(): boolean;
  tasks(): TaskInfo[];
}

/** Adds the depth and age of queue and outbox, and the state of workers, models and broker. */
export function backlogMetrics(registry: Registry, backlog: Backlog): void {
  const registers = [registry];
  const stats = sharedReading(() => backlog.stats());
  const outbox = sharedReading(() => backlog.outbox());
  new Gauge({
    name: "inference_queue_depth",
    help: "Jobs that wait",
    labelNames: ["task"],
    registers,
    async collect() {
      for (const [task, counts] of Object.entries((await stats()).by_task)) {
        this.set({ task }, counts.pending);
      }
    },
  });
  new Gauge({
    name: "inference_queue_limit",
    help: "How many jobs may wait, of all tasks together",
    registers,
    async collect() {
      this.set((await stats()).queue.limit);
    },
  });
  new Gauge({
    name: "inference_queue_oldest_age_seconds",
    help: "How long the job has waited that has waited longest",
    labelNames: ["task"],
    registers,
    async collect() {
      for (const [task, ageMs] of Object.entries((await stats()).queue.oldest_pending_ms)) {
        this.set({ task }, (ageMs ?? 0) / 1000);
      }
    },
  });
  new Gauge({
    name: "inference_events_pending",
    help: "Messages that the broker has not acknowledged",
    registers,
    async collect() {
      this.set((await outbox()).pending);
    },
  });
  new Gauge({
    name: "inference_events_oldest_age_seconds",
    help: "How long ago the oldest of them happened",
    registers,
    async collect() {
      this.set(((await outbox()).oldestAgeMs ?? 0) / 1000);
    },
  });
  new Gauge({
    name: "inference_broker_connected",
    help: "1 while connected to the broker",
    registers,
    collect() {
      this.set(Number(backlog.brokerConnected()));
    },
  });
  new Gauge({
    name: "inference_queue_paused",
    help: "1 while no job is begun since media_store is away",
    registers,
    collect() {
      this.set(Number(backlog.isPaused()));
    },
  });
  new Gauge({
    name: "inference_results_undelivered",
    help: "Face results that media_store has not taken yet",
    registers,
    async collect() {
      this.set(await backlog.undelivered());
    },
  });
  new Gauge({
    name: "inference_model_loaded",
    help: "1 where the task's model is loaded, 0 where it is chosen and not loaded yet",
    labelNames: ["task", "model"],
    registers,
    collect() {
      this.reset();
      for (const { task_type, state, model } of backlog.tasks()) {
        if (model === null) continue;
        this.set({ task: task_type, model: model.name }, Number(state === "ready"));
      }
    },
  });
}
