import type { Job, JobResult } from "@fovea/contract";
import type { Outcome } from "../output/outcome.ts";
import type { Report } from "../output/report.ts";
import { asJson, asText } from "../output/result_text.ts";
import type { Client, Options } from "./options.ts";

/** Says everything there is to say about one picture: warnings, its result, what went wrong. */
export function reportOutcome(
  outcome: Outcome,
  client: Client,
  { json }: Options,
  report: Report,
): void {
  const { file, stored, job, problem } = outcome;
  if (stored?.deleted) {
    report.note(
      `Warning: ${file} is in media_store as entity ${stored.id}, which is deleted: ` +
        `PATCH /entity/${stored.id} with {"is_deleted": false} restores it`,
    );
  }
  if (job?.status === "sync_failed") {
    report.note(
      `Warning: media_store has not got the result of ${file} yet: inference goes on trying`,
    );
  }
  if (json) report.result(asJson(outcome, client.taskType));
  else if (hasResult(job)) report.result(asText(file, job));
  if (problem !== undefined) {
    const doing = hasResult(job) ? "make pictures of the faces in" : client.doing;
    report.error(`Cannot ${doing} ${file}: ${problem.message}`);
  }
}

function hasResult(job: Job | undefined): job is Job & { result: JobResult } {
  return job !== undefined && job.result !== null;
}
