/**
 * What tests of failures ask of a started inference, and wait for.
 *
 * @module
 */
import type { Job } from "@fovea/contract";
import type { ServiceProcess } from "@fovea/testing";
import { clientOf } from "@fovea/testing/suite";

interface Readiness {
  status: string;
  checks: Record<string, { state: string; detail?: string }>;
}

/** For what has to come about by itself. */
const LIMIT_MS = 90_000;

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export async function readiness({ url }: ServiceProcess): Promise<Readiness> {
  return await (await fetch(`${url}/health/ready`)).json();
}

export async function statusOf(url: string): Promise<number> {
  const answer = await fetch(url);
  await answer.body?.cancel();
  return answer.status;
}

/** Waits until a check says something, and gives its words. */
export async function untilSaid(
  service: ServiceProcess,
  check: string,
  words: RegExp,
): Promise<string> {
  let detail = "";
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await pause(100)) {
    detail = (await readiness(service)).checks[check]?.detail ?? "";
    if (words.test(detail)) return detail;
  }
  throw new Error(`${check} did not say ${words} within ${LIMIT_MS} ms, but: ${detail}`);
}

export async function untilStatus(
  service: ServiceProcess,
  id: string,
  ...wanted: string[]
): Promise<Job> {
  const client = clientOf("", service.url);
  let job: Job | undefined;
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await pause(20)) {
    job = await client.job(id);
    if (wanted.includes(job.status)) return job;
  }
  throw new Error(
    `job was not ${wanted.join(" or ")} within ${LIMIT_MS} ms: ${JSON.stringify(job)}`,
  );
}

export const submit = (
  { url }: ServiceProcess,
  entity: number,
  more: Record<string, unknown> = {},
) => clientOf("", url).submit("face_detection", { media_store_id: entity, force: true, ...more });
