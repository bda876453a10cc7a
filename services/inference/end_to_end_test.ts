/**
 * Both services as processes, their HTTP, their broker and their models: what a client sees.
 *
 * @module
 */
import type {
  EmbeddingResult,
  FaceDetectionResult,
  JobEndedEvent,
  JobEvent,
} from "@fovea/contract";
import {
  asJson,
  mosquitto,
  openssl,
  runServiceToEnd,
  startMosquitto,
  startService,
  temporaryFolder,
  testNeeding,
} from "@fovea/testing";
import { BARE, clientOf, startSuite, type Suite, untilReady } from "@fovea/testing/suite";
import { testModel, yunet } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { basename } from "node:path";
import { serveHub } from "@fovea/models/testing/hub";
import { type Heard, subscribe } from "./testing/subscriber.ts";

const IMAGES = new URL("../../clients/images/", import.meta.url);
const read = (name: string) => Deno.readFile(new URL(name, IMAGES));
const astronaut = await read("astronaut.png");
const rocket = await read("rocket.jpg");

// The services outlive each test, and what they write is read all the while: to Deno that
// looks like something a test began and did not end.
const outliving = { sanitizeOps: false, sanitizeResources: false };

let suite: Suite;
Deno.test.beforeAll(async () => {
  suite = await startSuite();
});
Deno.test.afterAll(async () => {
  await suite[Symbol.asyncDispose]();
});

const topicOf = (jobId: string) => `inference/job/${jobId}/completed`;
const ended = ({ payload }: Heard): JobEndedEvent => JSON.parse(payload);

/** Submits and waits for the event. */
async function ask(
  task: "face_detection" | "image_embedding",
  entityId: number,
  more: Record<string, unknown> = {},
): Promise<JobEndedEvent> {
  const { mqtt_url } = await suite.info();
  const job_id = crypto.randomUUID();
  await using subscriber = await subscribe(mqtt_url, topicOf(job_id));
  await suite.submit(task, { media_store_id: entityId, job_id, ...more });
  return ended(await subscriber.until(() => true));
}

async function entityOf(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([bytes], "picture"));
  const response = await fetch(`${suite.mediaStore.url}/entity/`, { method: "POST", body: form });
  const { id, entity_id } = await response.json();
  return id ?? entity_id;
}

Deno.test(
  "a client of the original protocol, which subscribes last, hears of its job",
  outliving,
  async () => {
    const form = new FormData();
    form.set("is_collection", "false");
    form.set("image", new File([await read("camera.png")], "camera.png"));
    const stored = await fetch(`${suite.mediaStore.url}/entity/`, { method: "POST", body: form });
    assert.equal(stored.status, 201);
    const { id } = await stored.json();
    const { job_id } = await suite.submit("face_detection", { media_store_id: id });
    assert.equal((await suite.ended(job_id)).status, "completed");
    const { mqtt_url } = await suite.info();
    await using subscriber = await subscribe(mqtt_url, topicOf(job_id));
    const event = ended(await subscriber.until(() => true));
    assert.equal(event.event, "job_completed");
    assert.equal(event.face_count, 1);
  },
);

Deno.test(
  "face_detection ends in an event and a result with all that the contract names",
  outliving,
  async () => {
    const entityId = await entityOf(astronaut);
    const event = await ask("face_detection", entityId, { force: true });
    assert.deepEqual(
      [event.event, event.status, event.media_store_id, event.face_count],
      ["job_completed", "completed", entityId, 1],
    );
    const job = await suite.job(event.job_id);
    const result = job.result as FaceDetectionResult;
    assert.deepEqual([result.face_count, result.image_width, result.image_height], [1, 512, 512]);
    assert.equal(job.model?.name, "ultraface-rfb-320");
    assert.match(job.model!.sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(Object.keys(job.timings_ms!), ["queue", "fetch", "decode", "infer", "total"]);
    assert.equal(job.completed_at, event.completed_at);
  },
);

Deno.test("image_embedding gives the same numbers twice, bit for bit", outliving, async () => {
  const entityId = await entityOf(rocket);
  const embedding = async () => {
    const { job_id, embedding_dimension } = await ask("image_embedding", entityId, { force: true });
    assert.equal(embedding_dimension, 512);
    return ((await suite.job(job_id)).result as EmbeddingResult).embedding;
  };
  const first = await embedding();
  assert.equal(first.length, 512);
  assert.deepEqual(await embedding(), first);
});

Deno.test("events carry no vectors and no pictures", outliving, async () => {
  const event = await ask("image_embedding", await entityOf(astronaut), { force: true });
  assert.ok(JSON.stringify(event).length < 1000);
});

Deno.test("a subscriber to all events sees each step of a job in order", outliving, async () => {
  const { mqtt_url } = await suite.info();
  await using everything = await subscribe(mqtt_url, "inference/events");
  const event = await ask("face_detection", await entityOf(astronaut), { force: true });
  const steps = () =>
    everything.heard.map(({ payload }): JobEvent => JSON.parse(payload))
      .filter(({ data }) => data.job_id === event.job_id);
  await everything.until(() => steps().some(({ event }) => event === "job_completed"));
  assert.deepEqual(steps().map(({ event }) => event), [
    "job_created",
    "job_started",
    "job_completed",
  ]);
  assert.equal(steps().at(-1)?.event_id, event.event_id);
});

Deno.test(
  "each picture that can't be used ends its own job by name, and the next one is served",
  outliving,
  async () => {
    const cases: [Uint8Array<ArrayBuffer>, string][] = [
      [rocket.slice(0, rocket.length >> 1), "image_truncated"],
      [new TextEncoder().encode("%PDF-1.7\nno picture\n%%EOF"), "image_unreadable"],
      [ONE_PIXEL, "image_too_small"],
    ];
    for (const [bytes, code] of cases) {
      const event = await ask("face_detection", await entityOf(bytes));
      assert.deepEqual([event.event, event.status, event.error_code], [
        "job_failed",
        "error",
        code,
      ]);
      const job = await suite.job(event.job_id);
      assert.deepEqual([job.error_code, job.attempt, job.result], [code, 1, null]);
      assert.equal(job.error_message, event.error_message);
    }
    const unknown = await ask("face_detection", 999_999);
    assert.equal(unknown.error_code, "entity_not_found");
    const next = await ask("face_detection", await entityOf(astronaut), { force: true });
    assert.equal(next.event, "job_completed");
  },
);

Deno.test("info says what runs, and calls the fixture what it is", outliving, async () => {
  const info = await suite.info();
  const embedding = info.tasks.find(({ task_type }) => task_type === "image_embedding");
  assert.equal(embedding?.state, "ready");
  assert.equal(embedding?.model?.semantic, false);
  assert.match(embedding!.model!.name, /fixture/);
  assert.equal(info.workers, 1);
  assert.match(info.mqtt_url, /^mqtt:\/\/127\.0\.0\.1:\d+$/);
  assert.ok(suite.inference.log().some(({ msg }) => /fixture.*mean nothing/.test(msg)));
});

Deno.test("readiness names what is there", outliving, async () => {
  const response = await fetch(`${suite.inference.url}/health/ready`);
  assert.equal(response.status, 200);
  const { status, checks } = await response.json();
  assert.equal(status, "ready");
  assert.deepEqual(Object.keys(checks), [
    "database",
    "models",
    "all_models",
    "workers",
    "all_workers",
    "media_store",
    "same_media_store",
    "broker",
  ]);
});

Deno.test("jobs and events survive kill -9 of the service", outliving, async () => {
  const entityId = await entityOf(astronaut);
  const first = await startService("inference", { ...BARE, MEDIA_STORE_URL: suite.mediaStore.url });
  // Ended in this test, but its folder is to outlive it.
  const { dataDir } = first;
  await using _folder = first;
  const before = clientOf("", first.url);
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) {
    const job = await before.submit("face_detection", { media_store_id: entityId, force: true });
    ids.push(job.job_id);
  }
  await first.kill("SIGKILL");

  await using second = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: suite.mediaStore.url,
    DATA_DIR: dataDir,
  });
  const after = clientOf("", second.url);
  const { mqtt_url } = await after.info();
  await using late = await subscribe(mqtt_url, topicOf("+"));
  for (const id of ids) {
    await late.until((heard) => ended(heard).job_id === id);
    assert.equal((await after.job(id)).status, "completed");
  }
});

testNeeding([mosquitto], "a broker of one's own may come and go: events wait for it", async () => {
  await using broker = await startMosquitto();
  await broker.stop();
  await using inference = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: suite.mediaStore.url,
    MQTT_URL: broker.url,
  });
  await untilReady(inference);
  const ready = await fetch(`${inference.url}/health/ready`);
  assert.equal(ready.status, 200);
  assert.equal((await ready.json()).status, "degraded");

  const client = clientOf("", inference.url);
  assert.equal((await client.info()).mqtt_url, broker.url);
  const { job_id } = await client.submit("face_detection", {
    media_store_id: await entityOf(astronaut),
  });
  assert.equal((await client.ended(job_id)).status, "completed");
  await broker.start();
  await using subscriber = await subscribe(broker.url, "inference/#");
  await subscriber.until(({ topic }) => topic === topicOf(job_id));
  await subscriber.until(({ topic, payload }) =>
    topic === "inference/status" && payload === "online"
  );
  await inference.kill("SIGKILL");
  await subscriber.until(({ payload }) => payload === "offline");
}, outliving);

testNeeding([yunet], "FACE_MODEL=auto takes YuNet where it can be had", async () => {
  await using inference = await startService("inference", {
    ...BARE,
    FACE_MODEL: "auto",
    MEDIA_STORE_URL: suite.mediaStore.url,
  });
  await untilReady(inference);
  const { tasks } = await clientOf("", inference.url).info();
  const faces = tasks.find(({ task_type }) => task_type === "face_detection");
  assert.equal(faces?.model?.name, "yunet-2023mar");
}, outliving);

/** Inference that wants the real CLIP and finds it nowhere, but has its face model. */
async function startWithoutClip(env: Record<string, string> = {}) {
  await using cleanup = new AsyncDisposableStack();
  const models = cleanup.use(await temporaryFolder());
  // No hub has it, whatever this machine can reach otherwise.
  const hub = cleanup.use(await serveHub(() => new Response("not here", { status: 404 })));
  const { path } = await testModel("face_detection", BARE.FACE_MODEL);
  await Deno.copyFile(path, `${models.path}/${basename(path)}`);
  const inference = cleanup.use(
    await startService("inference", {
      ...BARE,
      EMBEDDING_MODEL: "auto",
      MODELS_DIR: models.path,
      MEDIA_STORE_URL: suite.mediaStore.url,
      ...hub.env,
      ...env,
    }),
  );
  const owned = cleanup.move();
  return { inference, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

testNeeding(
  [openssl],
  "a model that can't be had stops its own task only, and the answer says the ways out",
  async () => {
    await using without = await startWithoutClip();
    const { inference } = without;
    await untilReady(inference);
    const response = await fetch(
      `${inference.url}/job/image_embedding`,
      asJson({ media_store_id: 1 }),
    );
    assert.equal(response.status, 503);
    const { code, detail } = await response.json();
    assert.equal(code, "model_unavailable");
    assert.match(detail, /MODEL_MIRROR/);
    assert.match(detail, /EMBEDDING_MODEL=fixture/);
  },
  outliving,
);

testNeeding(
  [openssl],
  "while a model is on its way its jobs wait and those of the other task are done",
  async () => {
    const answer = Promise.withResolvers<Response>();
    await using mirror = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async () => (await answer.promise).clone(),
    );
    await using without = await startWithoutClip({
      MODEL_MIRROR: `http://127.0.0.1:${mirror.addr.port}`,
    });
    const client = clientOf("", without.inference.url);
    const { mqtt_url, tasks } = await client.info();
    const embedding = tasks.find(({ task_type }) => task_type === "image_embedding");
    assert.deepEqual([embedding?.state, embedding?.model?.name], ["preparing", "clip-vit-b-32"]);
    await using subscriber = await subscribe(mqtt_url, topicOf("+"));
    const media_store_id = await entityOf(astronaut);
    const waiting = await client.submit("image_embedding", { media_store_id, priority: 10 });
    const faces = await client.submit("face_detection", { media_store_id, priority: 0 });
    const done = ended(await subscriber.until(() => true));
    assert.deepEqual([done.job_id, done.event], [faces.job_id, "job_completed"]);
    assert.equal((await client.job(waiting.job_id)).status, "pending");

    answer.resolve(new Response("not here", { status: 404 }));
    const given = await subscriber.until((heard) => ended(heard).job_id === waiting.job_id);
    assert.equal(ended(given).error_code, "model_unavailable");
  },
  outliving,
);

Deno.test("wrong settings are all named, and the service does not start", outliving, async () => {
  const { code, stderr } = await runServiceToEnd("inference", {
    INFERENCE_PORT: "80a",
    EMBEDDING_MODEL: "clip",
    MQTT_URL: "broker",
    INFERENCE_WORKERS: "0",
    // More than a timer can take: it would go off at once, again and again.
    WORKER_IDLE_SECONDS: "3000000",
    EVENT_RETAIN_MINUTES: "40000",
  });
  assert.equal(code, 2);
  for (const name of ["INFERENCE_PORT", "EMBEDDING_MODEL", "MQTT_URL", "INFERENCE_WORKERS"]) {
    assert.match(stderr, new RegExp(`${name} is "`));
  }
  assert.match(stderr, /WORKER_IDLE_SECONDS is "3000000": 2147483 is the most/);
  assert.match(stderr, /EVENT_RETAIN_MINUTES is "40000": 35791 is the most/);
  assert.doesNotMatch(stderr, /\bat file:/);
});

Deno.test(
  "a service without authentication does not listen to other machines unasked",
  outliving,
  async () => {
    const { code, stderr } = await runServiceToEnd("inference", { INFERENCE_HOST: "0.0.0.0" });
    assert.equal(code, 2);
    assert.match(stderr, /INFERENCE_HOST is "0\.0\.0\.0".*ALLOW_INSECURE/);
  },
);

/** A white PNG of one pixel. */
const ONE_PIXEL = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==",
);
