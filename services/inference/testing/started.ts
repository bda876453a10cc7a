/**
 * What tests of failures ask of a started inference, and wait for.
 *
 * @module
 */
import type { Job } from "@fovea/contract";
import { type ServiceProcess, until } from "@fovea/testing";
import { clientOf } from "@fovea/testing/suite";

interface Readiness {
  status: string;
  checks: Record<string, { state: string; detail?: string }>;
}

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
  return await until(() => `${check} to say ${words}, not: ${detail}`, async () => {
    detail = (await readiness(service)).checks[check]?.detail ?? "";
    return words.test(detail) && detail;
  });
}

/** Waits until a job has one of these states. */
export async function untilStatus(
  service: ServiceProcess,
  id: string,
  ...wanted: string[]
): Promise<Job> {
  const client = clientOf("", service.url);
  let job: Job | undefined;
  const what = () => `job ${id} to be ${wanted.join(" or ")}, not: ${JSON.stringify(job)}`;
  return await until(what, async () => {
    job = await client.job(id);
    return wanted.includes(job.status) && job;
  });
}

export const submit = (
  { url }: ServiceProcess,
  entity: number,
  more: Record<string, unknown> = {},
) => clientOf("", url).submit("face_detection", { media_store_id: entity, force: true, ...more });
