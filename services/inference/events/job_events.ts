import {
  type EmbeddingResult,
  type FaceDetectionResult,
  hasEnded,
  type JobEndedEvent,
  type JobEventData,
  type JobEventName,
  type JobStepEvent,
  TOPICS,
} from "@fovea/contract";
import type { JobRow } from "../database/tables.ts";
import type { Message } from "./message_log.ts";

/** The messages that tell of one step of a job: one for who follows everything, and at its end one for who waits for it. */
export function messagesOf(
  event: JobEventName,
  job: JobRow,
  eventId: string,
  timestamp: number,
): Message[] {
  const data = dataOf(job);
  const step: JobStepEvent = { event, event_id: eventId, timestamp, data };
  const messages: Message[] = [{
    topic: TOPICS.events,
    payload: JSON.stringify(step),
    retain: false,
    at: timestamp,
  }];
  if (hasEnded(job.status)) {
    const ended: JobEndedEvent = {
      event: event === "job_completed" ? event : "job_failed",
      event_id: eventId,
      ...data,
    };
    messages.push({
      topic: TOPICS.jobEnded(job.job_id),
      payload: JSON.stringify(ended),
      retain: true,
      at: timestamp,
    });
  }
  return messages;
}

function dataOf(job: JobRow): JobEventData {
  const result: Partial<FaceDetectionResult & EmbeddingResult> = JSON.parse(job.result ?? "{}");
  return {
    job_id: job.job_id,
    task_type: job.task_type,
    media_store_id: job.media_store_id,
    status: job.status,
    completed_at: job.completed_at,
    ...result.face_count !== undefined && { face_count: result.face_count },
    ...result.embedding_dimension !== undefined &&
      { embedding_dimension: result.embedding_dimension },
    ...job.error_code !== null && { error_code: job.error_code },
    ...job.error_message !== null && { error_message: job.error_message },
  };
}
