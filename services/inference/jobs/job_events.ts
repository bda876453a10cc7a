import {
  hasEnded,
  type JobEndedEvent,
  type JobEvent,
  type JobEventData,
  type JobEventName,
  TOPICS,
} from "@fovea/contract";
import type { JobRow } from "../database/jobs.ts";
import type { Message } from "../events/message_log.ts";
import { TASKS } from "../tasks/list.ts";

/** The messages of an event of a job: one on the topic of all events, and at its end one on its own topic. */
export function messagesOf(
  event: JobEventName,
  job: JobRow,
  eventId: string,
  timestamp: number,
): Message[] {
  const jobEvent: JobEvent = { event, event_id: eventId, timestamp, data: dataOf(job) };
  const messages: Message[] = [{
    topic: TOPICS.events,
    payload: JSON.stringify(jobEvent),
    retain: false,
  }];
  if (hasEnded(job.status)) messages.push(endMessageOf(job));
  return messages;
}

/** The message on the topic of a job that has ended: the same whenever it is published. */
export function endMessageOf(job: JobRow): Message {
  const ended: JobEndedEvent = {
    event: job.result === null ? "job_failed" : "job_completed",
    event_id: job.event_id!,
    ...dataOf(job),
  };
  return {
    topic: TOPICS.jobEnded(job.job_id),
    payload: JSON.stringify(ended),
    retain: true,
  };
}

/** Clears what the broker retains of the end of a job, so that nobody takes it for that of a new try. */
export function forgottenEndOf({ job_id }: JobRow): Message {
  return { topic: TOPICS.jobEnded(job_id), payload: "", retain: true };
}

function dataOf(job: JobRow): JobEventData {
  // That media_store has not taken a result, or not yet, was no end of the job.
  const failure = job.result === null ? job : { error_code: null, error_message: null };
  const members = job.result === null
    ? {}
    : TASKS.get(job.task_type).eventMembers(JSON.parse(job.result));
  return {
    job_id: job.job_id,
    task_type: job.task_type,
    media_store_id: job.media_store_id,
    status: job.result === null ? job.status : "completed",
    completed_at: job.completed_at,
    ...members,
    ...failure.error_code !== null && { error_code: failure.error_code },
    ...failure.error_message !== null && { error_message: failure.error_message },
  };
}
