import type { TaskType } from "./job.ts";

/** A task and the model that serves it, as `GET /info` of inference shows it. */
export interface TaskInfo {
  task_type: TaskType;
  /** `preparing`: jobs are taken and wait; `unavailable`: jobs are refused with 503. */
  state: "preparing" | "ready" | "unavailable";
  /** Null as long as no model has been chosen. */
  model: {
    name: string;
    sha256: string;
    /** False for the fixture, whose numbers mean nothing. */
    semantic: boolean;
    licence: string;
    /** What runs it, once it is ready: library, version, and for a tower its precision. */
    backend?: string;
  } | null;
  /** How far its model has come, while it is fetched; where several may serve it, the one that is fetched now. */
  progress?: {
    bytes: number;
    total_bytes: number;
    /** At the pace of the last half minute; null where that is not known, or nothing comes. */
    seconds_left: number | null;
  };
  /** Why it is not ready, and what to do about it. */
  detail?: string;
}

/** `GET /info` of inference. */
export interface Info {
  name: "fovea-inference";
  version: string;
  /** Where clients on this machine reach the broker. */
  mqtt_url: string;
  /** Whether that is inference's own broker, which wants inference's tokens. */
  mqtt_built_in: boolean;
  tasks: TaskInfo[];
  workers: number;
  backend: string;
}
