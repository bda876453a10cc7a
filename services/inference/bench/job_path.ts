/**
 * What the service itself costs: jobs without work, from their POST over HTTP to their event over MQTT,
 * through one process.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import { startService } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import { subscribe } from "../testing/subscriber.ts";
import { HttpConnection } from "./http_connection.ts";

const WORKERS = 2;

/** Requests under way at once while throughput is measured. */
const CONNECTIONS = 64;

/** Jobs a second while latency is measured. */
const RATE = 100;

export interface JobPath {
  /** From the first POST to the last event, as fast as it goes. */
  jobsPerSecond: number;
  /** Median milliseconds from sending the POST to hearing the event, at 100 jobs a second. */
  latencyMs: number;
}

/** @param jobs of each of the two measurements that are counted */
export async function measureJobPath(jobs: number): Promise<JobPath> {
  await using service = await startService("empty_inference", {
    ...BARE,
    INFERENCE_WORKERS: `${WORKERS}`,
  });
  await untilReady(service);
  const { mqtt_url } = await clientOf("", service.url).info();
  await using subscriber = await subscribe(mqtt_url, "inference/job/+/completed");
  using open = new DisposableStack();
  const connections: HttpConnection[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    connections.push(open.use(await HttpConnection.open(service.url)));
  }
  let entity = 0;
  const heard = new Map<string, PromiseWithResolvers<void>>();
  subscriber.onMessage(({ topic }) => heard.get(topic.slice(14, -10))?.resolve());

  /** Submits a job, of the kind that leaves nothing to deliver; `ended` resolves when its event is heard. */
  async function submit(connection: HttpConnection): Promise<{ ended: Promise<void> }> {
    const job_id = crypto.randomUUID();
    const ended = Promise.withResolvers<void>();
    heard.set(job_id, ended);
    const body = JSON.stringify({ media_store_id: ++entity, job_id });
    const status = await connection.post("/job/image_embedding", body);
    if (status !== 201) throw new Error(`Cannot measure: POST answered ${status}`);
    return { ended: ended.promise };
  }

  async function throughput(count: number): Promise<number> {
    const ended: Promise<void>[] = [];
    const from = performance.now();
    let left = count;
    await Promise.all(connections.map(async (connection) => {
      while (left-- > 0) ended.push((await submit(connection)).ended);
    }));
    await Promise.all(ended);
    return count / (performance.now() - from) * 1000;
  }

  async function latencyMs(count: number): Promise<number> {
    const times: number[] = [];
    const start = performance.now();
    const running: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const due = start + i * 1000 / RATE;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      const from = performance.now();
      running.push(
        submit(connections[i % CONNECTIONS]!).then(({ ended }) => ended).then(() => {
          times.push(performance.now() - from);
        }),
      );
    }
    await Promise.all(running);
    return median(times);
  }

  await throughput(jobs);
  return { jobsPerSecond: await throughput(jobs), latencyMs: await latencyMs(Math.min(jobs, 500)) };
}
