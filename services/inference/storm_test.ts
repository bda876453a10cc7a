/**
 * Kills of the service and restarts of the broker at random moments, while jobs come in all the time:
 * each job ends once, and everybody who should hears of it.
 *
 * @module
 */
import type { JobEndedEvent } from "@fovea/contract";
import {
  mosquitto,
  type MosquittoProcess,
  type ServiceProcess,
  startMosquitto,
  startService,
  temporaryFolder,
  testNeeding,
  until,
} from "@fovea/testing";
import { clientOf } from "@fovea/testing/suite";
import { MODELS_DIR } from "@fovea/testing/models";
import { connectAsync } from "mqtt";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Heard, subscribe, type Subscriber } from "./testing/subscriber.ts";

const JOBS = 2000;
const KILLS = 30;
const BROKER_RESTARTS = 10;

/** How long a life of the service, and an outage of the broker, last at most. */
const LIFE_MS = 500;
const OUTAGE_MS = 500;

const AT_ONCE = 8;

const PICTURE = new URL("../../clients/images/camera.png", import.meta.url);

testNeeding([mosquitto], "nothing is lost in a storm", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  console.log(`seed ${seed}`);
  const random = mulberry32(seed);

  await using folder = await temporaryFolder();
  await using store = await temporaryFolder();
  await using broker = await startMosquitto([
    "persistence true",
    `persistence_location ${store.path}/`,
    "max_queued_messages 0",
  ]);
  await using mediaStore = await startService("media_store");
  await clientOf(mediaStore.url, "").upload(await Deno.readFile(PICTURE));
  await using always = await subscribe(broker.url, "inference/job/+/completed", {
    clientId: "always",
    clean: false,
  });

  const ids = Array.from({ length: JOBS }, () => crypto.randomUUID());
  const { service } = await storm({
    ids,
    random,
    broker,
    env: {
      DATA_DIR: folder.path,
      MEDIA_STORE_URL: mediaStore.url,
      MQTT_URL: broker.url,
      MODELS_DIR,
      EMBEDDING_MODEL: "fixture",
      FACE_MODEL: "ultraface-rfb-320",
      INFERENCE_WORKERS: "2",
    },
  });
  await untilDone(service);
  // What has not been sent yet is sent now.
  assert.equal((await service.kill("SIGTERM")).code, 0);
  await using late = await subscribe(broker.url, "inference/job/+/completed");
  const first = await outcomes(always, broker.url);
  const second = await outcomes(late, broker.url);

  const jobs = storedJobs(folder.path);
  assert.deepEqual(jobs.map(({ job_id }) => job_id).sort(), ids.sort());
  const count = new Map<string, number>();
  for (const { job_id: id, status } of jobs) {
    assert.ok(status === "completed" || status === "error", `job ${id} is ${status}`);
    const outcomes = first.get(id)?.size ?? 0;
    assert.equal(outcomes, 1, `job ${id} was published with ${outcomes} outcomes`);
    assert.deepEqual(second.get(id), first.get(id));
    assert.match([...first.get(id)!][0]!, new RegExp(` ${status}$`));
    count.set(status, (count.get(status) ?? 0) + 1);
  }
  const again = jobs.filter(({ attempt }) => attempt > 1).length;
  console.log(
    `${JSON.stringify(Object.fromEntries(count))}, ${again} of them begun more than once, ` +
      `${always.heard.length} messages`,
  );
});

/** Runs lives of the service one after the other, all but the last ended by force, while jobs are submitted. */
async function storm({ ids, random, broker, env }: {
  ids: readonly string[];
  random: () => number;
  broker: MosquittoProcess;
  env: Record<string, string>;
}): Promise<{ service: ServiceProcess }> {
  let service: ServiceProcess | undefined;
  let begun = 0;
  let allowed = 0;
  const submit = async () => {
    while (begun < ids.length) {
      if (begun >= allowed) await pause(10);
      else {
        const body = { media_store_id: 1, job_id: ids[begun++], force: true };
        // Each life of the service, and each pause between two, is over long before.
        await until(`an answer to job ${body.job_id}`, () => isAnswered(service, body));
      }
    }
  };
  const submitting = Promise.all(Array.from({ length: AT_ONCE }, submit));

  const restarts = new Set(shuffled(KILLS, random).slice(0, BROKER_RESTARTS));
  let outage = Promise.resolve();
  for (let life = 1; life <= KILLS; life++) {
    allowed = Math.round(ids.length * life / (KILLS + 1));
    service = await startService("empty_inference", env);
    if (restarts.has(life - 1)) {
      await outage;
      outage = restart(broker, random() * LIFE_MS, random() * OUTAGE_MS);
    }
    await pause(random() * LIFE_MS);
    await service.kill("SIGKILL");
    await service[Symbol.asyncDispose]();
  }
  allowed = ids.length;
  service = await startService("empty_inference", env);
  await Promise.all([submitting, outage]);
  return { service };
}

/** Whether a job was taken, now or before. */
async function isAnswered(
  service: ServiceProcess | undefined,
  body: Record<string, unknown>,
): Promise<boolean> {
  if (service === undefined) return false;
  return await clientOf("", service.url).submit("face_detection", body)
    .then(() => true, () => false);
}

async function restart(broker: MosquittoProcess, afterMs: number, outageMs: number): Promise<void> {
  await pause(afterMs);
  await broker.stop();
  await pause(outageMs);
  await broker.start();
}

/** For all jobs of the storm together. */
const DONE_MS = 600_000;

/** Waits until all jobs have ended, their results have been delivered and the broker is there. */
async function untilDone({ url }: ServiceProcess): Promise<void> {
  const count = async (status: string) =>
    (await (await fetch(`${url}/job/?status=${status}`)).json()).pagination.total_items;
  for (const status of ["pending", "processing", "sync_failed"]) {
    await until(`the last job that is ${status}`, async () => await count(status) === 0, DONE_MS);
  }
  const broker = async () =>
    (await (await fetch(`${url}/health/ready`)).json()).checks.broker.state;
  await until("the broker", async () => await broker() === "ok");
}

/** What a subscriber heard of each job, once it has heard all there is: an event's id and a status. */
async function outcomes(
  { heard, until }: Subscriber,
  brokerUrl: string,
): Promise<Map<string, Set<string>>> {
  const last = "inference/job/none/completed";
  const client = await connectAsync(brokerUrl);
  await client.publishAsync(last, "{}", { qos: 1 });
  await client.endAsync();
  await until(({ topic }) => topic === last);
  const outcomes = new Map<string, Set<string>>();
  for (const message of heard) {
    if (message.topic === last) continue;
    const { job_id, event_id, status } = endOf(message);
    outcomes.set(job_id, (outcomes.get(job_id) ?? new Set()).add(`${event_id} ${status}`));
  }
  return outcomes;
}

interface StoredJob {
  job_id: string;
  status: string;
  attempt: number;
}

function storedJobs(dataDir: string): StoredJob[] {
  using db = new DatabaseSync(`${dataDir}/inference/inference.sqlite`, { readOnly: true });
  return db.prepare("SELECT job_id, status, attempt FROM job").all() as unknown as StoredJob[];
}

const endOf = ({ payload }: Heard): JobEndedEvent => JSON.parse(payload);

const pause = (pauseMs: number) => new Promise<void>((resolve) => setTimeout(resolve, pauseMs));

/** 0…n-1 in a random order (Fisher and Yates). */
function shuffled(n: number, random: () => number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

/** Tommy Ettinger's mulberry32: numbers in 0…1 that follow from a seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
