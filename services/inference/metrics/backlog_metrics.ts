/**
 * What waits in inference, and whether what it needs to go on is there.
 *
 * @module
 */
import { sharedReading } from "@fovea/common/shared_reading";
import type { TaskInfo, TaskType } from "@fovea/contract";
import { Gauge, type Registry } from "prom-client";

/** A task's part of the queue. */
export interface Waiting {
  task: TaskType;
  jobs: number;
  /** Milliseconds that the one has waited which has waited longest; 0 where none does. */
  oldest: number;
}

/** Events that the broker has not acknowledged. */
export interface Unsent {
  events: number;
  /** Milliseconds since the oldest happened; 0 where there is none. */
  oldest: number;
}

/** Where the figures come from; they are taken when Prometheus asks. */
export interface Backlog {
  /** One entry for each task, whether anything waits or not. */
  queue(): Promise<Waiting[]>;
  outbox(): Promise<Unsent>;
  brokerConnected(): boolean;
  /** Worker threads there are just now. */
  workers(): number;
  tasks(): TaskInfo[];
}

/** Adds the depth and age of queue and outbox, and the state of workers, models and broker. */
export function backlogMetrics(registry: Registry, backlog: Backlog): void {
  const registers = [registry];
  const queue = sharedReading(() => backlog.queue());
  const outbox = sharedReading(() => backlog.outbox());
  new Gauge({
    name: "inference_queue_depth",
    help: "Jobs that wait",
    labelNames: ["task"],
    registers,
    async collect() {
      for (const { task, jobs } of await queue()) this.set({ task }, jobs);
    },
  });
  new Gauge({
    name: "inference_queue_oldest_age_seconds",
    help: "How long the job has waited that has waited longest",
    labelNames: ["task"],
    registers,
    async collect() {
      for (const { task, oldest } of await queue()) this.set({ task }, oldest / 1000);
    },
  });
  new Gauge({
    name: "inference_events_pending",
    help: "Messages that the broker has not acknowledged",
    registers,
    async collect() {
      this.set((await outbox()).events);
    },
  });
  new Gauge({
    name: "inference_events_oldest_age_seconds",
    help: "How long ago the oldest of them happened",
    registers,
    async collect() {
      this.set((await outbox()).oldest / 1000);
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
    name: "inference_workers",
    help: "Worker threads; they come with jobs and go when idle",
    registers,
    collect() {
      this.set(backlog.workers());
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
