/**
 * How long one job takes on an idle service, from its POST to its event, and how much of that is the
 * services' own.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import type { FaceDetectionResult, JobEndedEvent, TaskType } from "@fovea/contract";
import { startSuite } from "@fovea/testing/suite";
import { subscribe } from "../testing/subscriber.ts";

const WARM_UP = 20;

const picture = new URL("../../../clients/images/astronaut.png", import.meta.url);

/** Milliseconds, each the median of the runs. */
export interface Latency {
  /** From sending the POST to hearing the event. */
  total: number;
  fetch: number;
  decode: number;
  infer: number;
  own: number;
}

/** Has one worker do jobs on astronaut.png one at a time for `seconds`, not counting warming up. */
export async function measureLatency(
  task: TaskType,
  env: Record<string, string>,
  seconds: number,
): Promise<Latency> {
  await using suite = await startSuite(env);
  const { id } = await suite.upload(await Deno.readFile(picture), "astronaut.png");
  const { mqtt_url } = await suite.info();
  await using subscriber = await subscribe(mqtt_url, "inference/job/+/completed");
  const measured: Latency[] = [];
  let until = Infinity;
  for (let run = 0; performance.now() < until; run++) {
    if (run === WARM_UP) until = performance.now() + seconds * 1000;
    const job_id = crypto.randomUUID();
    const from = performance.now();
    await suite.submit(task, { media_store_id: id, job_id, force: true });
    const heard = await subscriber.until(({ topic }) => topic.includes(job_id));
    const total = performance.now() - from;
    subscriber.heard.length = 0;
    const { event, error_message }: JobEndedEvent = JSON.parse(heard.payload);
    if (event !== "job_completed") {
      throw new Error(`Cannot measure: a job failed: ${error_message}`);
    }
    if (run < WARM_UP) continue;
    const { timings_ms, result } = await suite.job(job_id);
    if (task === "face_detection" && (result as FaceDetectionResult).face_count !== 1) {
      throw new Error("Cannot measure: the astronaut's face was not found");
    }
    const { fetch, decode, infer } = timings_ms!;
    measured.push({ total, fetch, decode, infer, own: total - fetch - decode - infer });
  }
  const of = (part: keyof Latency) => median(measured.map((run) => run[part]));
  return {
    total: of("total"),
    fetch: of("fetch"),
    decode: of("decode"),
    infer: of("infer"),
    own: of("own"),
  };
}
