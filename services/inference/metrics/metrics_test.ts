import { until } from "@fovea/testing";
import { startSuite } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { openJobs } from "../testing/open_jobs.ts";
import { backlogMetrics } from "./backlog_metrics.ts";
import { jobMetrics } from "./job_metrics.ts";
import { workerMetrics } from "./worker_metrics.ts";

const astronaut = await Deno.readFile(
  new URL("../../../clients/images/astronaut.png", import.meta.url),
);

/** The figures of one name, labels without their name, sorted by them. */
async function figures(registry: Registry, name: string): Promise<[string, number][]> {
  const { values } = await registry.getSingleMetric(name)!.get();
  return values.map(({ labels, value }): [string, number] => [
    Object.values(labels).join(" "),
    value,
  ]).sort();
}

Deno.test("every step of a job counts, with its outcome and what its stages took", async () => {
  const registry = new Registry();
  await using opened = await openJobs(1000, jobMetrics(registry));
  const { jobs, clock } = opened;
  const timingsMs = { fetch: 10, decode: 20, infer: 30 };
  const result = { faces: [], face_count: 0, image_width: 8, image_height: 8 };
  const failed = (code: "worker_lost" | "image_unreadable") =>
    ({ ok: false, sha256: null, code, detail: "no", timingsMs }) as const;
  const submit = async (id: number) =>
    (await jobs.submit("face_detection", { media_store_id: id })).job.job_id;

  await submit(1);
  const first = await opened.begin();
  clock.now += 1000;
  await opened.recordOutcome(first, failed("worker_lost"));
  await opened.untilDue();
  await opened.recordOutcome(await opened.begin(), {
    ok: true,
    sha256: "0".repeat(64),
    result,
    timingsMs,
  });
  await submit(2);
  await opened.recordOutcome(await opened.begin(), failed("image_unreadable"));
  await jobs.remove(await submit(3));

  assert.deepEqual(await figures(registry, "inference_jobs_submitted_total"), [
    ["face_detection", 3],
  ]);
  assert.deepEqual(await figures(registry, "inference_job_attempts_total"), [[
    "face_detection",
    3,
  ]]);
  assert.deepEqual(await figures(registry, "inference_job_retries_total"), [
    ["face_detection worker_lost", 1],
  ]);
  assert.deepEqual(await figures(registry, "inference_jobs_ended_total"), [
    ["face_detection cancelled", 1],
    ["face_detection completed", 1],
    ["face_detection image_unreadable", 1],
  ]);
  const sums = (await registry.metrics()).split("\n")
    .filter((line) => line.startsWith("inference_job_duration_seconds_sum"))
    .map((line) => line.replace(/.*stage="(\w+)".* /, "$1 "));
  assert.deepEqual(sums.sort(), ["decode 0.02", "fetch 0.01", "infer 0.03", "queue 2", "total 2"]);
});

Deno.test("what waits is counted by task, with the age of the oldest", async () => {
  await using opened = await openJobs(50);
  const { jobs, clock, administration } = opened;
  const registry = new Registry();
  backlogMetrics(registry, {
    stats: () => administration.stats(),
    outbox: () => Promise.resolve({ pending: 2, oldestAgeMs: 3000 }),
    undelivered: () => Promise.resolve(4),
    brokerConnected: () => false,
    isPaused: () => true,
    tasks: () => [],
  });
  await jobs.submit("image_embedding", { media_store_id: 1 });
  clock.now += 2000;
  await jobs.submit("image_embedding", { media_store_id: 2 });
  clock.now += 1000;
  for (
    const [name, values] of Object.entries({
      inference_queue_depth: [["face_detection", 0], ["image_embedding", 2]],
      inference_queue_limit: [["", 50]],
      inference_queue_oldest_age_seconds: [["face_detection", 0], ["image_embedding", 3]],
      inference_events_pending: [["", 2]],
      inference_events_oldest_age_seconds: [["", 3]],
      inference_results_undelivered: [["", 4]],
      inference_broker_connected: [["", 0]],
    })
  ) assert.deepEqual(await figures(registry, name), values, name);
});

Deno.test("workers are counted, and their ends by why", async () => {
  const registry = new Registry();
  const restarts = {
    deadline: 1,
    died: 0,
    memory: 0,
    recycled: 0,
    cancelled: 0,
    canary: 0,
    stuck: 2,
  };
  workerMetrics(registry, () => ({ size: 2, alive: 2, busy: 1, restarts, unfit: { 2: "stuck" } }));
  assert.deepEqual(await figures(registry, "inference_workers"), [["", 2]]);
  assert.deepEqual(await figures(registry, "inference_workers_unfit"), [["", 1]]);
  assert.deepEqual(
    await figures(registry, "inference_worker_restarts_total"),
    Object.entries(restarts).sort(),
  );
});

Deno.test("a running service tells what its jobs took and what is loaded", async () => {
  await using suite = await startSuite();
  const metrics = async () => await (await fetch(`${suite.inference.url}/metrics`)).text();
  const { id } = await suite.upload(astronaut);
  await suite.submit("face_detection", { media_store_id: id });
  const text = await until("metrics of a job", async () => {
    const text = await metrics();
    return text.includes("inference_jobs_ended_total{") && text;
  });
  for (
    const line of [
      /^inference_jobs_ended_total\{task="face_detection",outcome="completed"\} 1$/m,
      /^inference_job_duration_seconds_count\{task="face_detection",stage="infer"\} 1$/m,
      /^inference_queue_depth\{task="face_detection"\} 0$/m,
      /^inference_model_loaded\{task="face_detection",model="ultraface-rfb-320"\} 1$/m,
      /^inference_model_loaded\{task="image_embedding",model="\S+"\} 1$/m,
      /^inference_broker_connected 1$/m,
      /^inference_workers 1$/m,
      /^inference_events_pending \d+$/m,
      /^http_requests_total\{method="POST",route="\/job\/:task_type",status="201"\} 1$/m,
      /^process_resident_memory_bytes \d{8,}$/m,
      /^event_loop_lag_seconds_count \d+$/m,
    ]
  ) assert.match(text, line);
});
