import type { JobStatus, TaskType } from "./job.ts";
import type { ProblemCode } from "./problem.ts";

export const JOB_EVENTS = [
  "job_created",
  "job_started",
  "job_retrying",
  "job_completed",
  "job_failed",
  "job_cancelled",
] as const;
export type JobEventName = typeof JOB_EVENTS[number];

/** What an event says of its job: no vectors, no image bytes. */
export interface JobEventData {
  job_id: string;
  task_type: TaskType;
  media_store_id: number;
  status: JobStatus;
  completed_at: number | null;
  face_count?: number;
  embedding_dimension?: number;
  error_code?: ProblemCode;
  error_message?: string;
}

/** On `inference/job/{job_id}/completed`: retained, QoS 1, once for each end of a job, good or bad. */
export interface JobEndedEvent extends JobEventData {
  event: "job_completed" | "job_failed";
  /** The same in every duplicate. */
  event_id: string;
}

/** On `inference/events`: every step of every job, QoS 1, not retained. */
export interface JobEvent {
  event: JobEventName;
  event_id: string;
  /** Ms since the epoch, UTC. */
  timestamp: number;
  data: JobEventData;
}

/** Topics under which the events stand. */
export const TOPICS = {
  events: "inference/events",
  status: "inference/status",
  jobEnded: (jobId: string) => `inference/job/${jobId}/completed`,
} as const;

/** Payloads of `inference/status`: connected, gone on purpose, gone by the broker's word. */
export type ServiceStatus = "online" | "stopped" | "offline";
