/**
 * Results belong to bytes: what a client hears that asks again, and after an entity's bytes changed.
 *
 * @module
 */
import type { FaceDetectionResult, Job, JobEndedEvent } from "@fovea/contract";
import { startService, temporaryFolder, testNeeding } from "@fovea/testing";
import { yunet } from "@fovea/testing/models";
import { BARE, clientOf, startSuite, type Suite, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { basename } from "node:path";
import { subscribe } from "./testing/subscriber.ts";

const IMAGES = new URL("../../clients/images/", import.meta.url);
const read = (name: string) => Deno.readFile(new URL(name, IMAGES));
const astronaut = await read("astronaut.png");
const coffee = await read("coffee.png");

type Services = Pick<Suite, "inference" | "mediaStore">;

async function ask({ inference }: Pick<Services, "inference">, media_store_id: number) {
  const response = await fetch(`${inference.url}/job/face_detection`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ media_store_id }),
  });
  return { status: response.status, job: await response.json() as Job };
}

/** The job once it has a result, and how many faces that has. */
async function result({ inference }: Pick<Services, "inference">, id: string) {
  const found = await clientOf("", inference.url).ended(id);
  assert.equal(found.status, "completed", found.error_message ?? "");
  return { ...found, faces: (found.result as FaceDetectionResult).face_count };
}

const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

async function replace({ mediaStore }: Services, id: number, bytes: Uint8Array<ArrayBuffer>) {
  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([bytes], "picture"));
  const url = `${mediaStore.url}/entity/${id}`;
  const response = await fetch(url, { method: "PUT", body: form });
  assert.equal(response.status, 200, await response.text());
}

Deno.test("a client that asks the same again gets the job, and its event though it subscribes afterwards", async () => {
  await using suite = await startSuite({ EVENT_RETAIN_MINUTES: "1" });
  const { id } = await suite.upload(astronaut);
  const first = await ask(suite, id);
  assert.equal(first.status, 201);
  const done = await result(suite, first.job.job_id);
  assert.deepEqual([done.sha256, done.faces], [await digest(astronaut), 1]);

  const { mqtt_url } = await suite.info();
  const topic = `inference/job/${first.job.job_id}/completed`;
  await using early = await subscribe(mqtt_url, topic);
  const published: JobEndedEvent = JSON.parse((await early.until(() => true)).payload);
  await using everything = await subscribe(mqtt_url, "inference/events");

  const again = await ask(suite, id);
  assert.deepEqual([again.status, again.job.job_id], [200, first.job.job_id]);
  await early.until(({ retained }) => !retained);
  await using late = await subscribe(mqtt_url, topic);
  assert.deepEqual(JSON.parse((await late.until(() => true)).payload), published);
  assert.deepEqual(everything.heard, []);
});

testNeeding(
  [yunet],
  "a job that is asked for while no model is chosen yet, and again once one is, is taken once",
  async () => {
    const { path } = yunet.model!;
    await using models = await temporaryFolder();
    const release = Promise.withResolvers<void>();
    await using mirror = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async ({ url }) => {
        if (!url.endsWith(basename(path))) return new Response("not here", { status: 404 });
        await release.promise;
        return new Response(await Deno.readFile(path));
      },
    );
    await using mediaStore = await startService("media_store");
    await using inference = await startService("inference", {
      ...BARE,
      // Of two it is not known yet which one can be had.
      FACE_MODEL: "auto",
      MODELS_DIR: models.path,
      MODEL_MIRROR: `http://127.0.0.1:${mirror.addr.port}`,
      MEDIA_STORE_URL: mediaStore.url,
    });
    const { upload, info } = clientOf(mediaStore.url, inference.url);
    const suite = { inference, mediaStore };
    const { id } = await upload(astronaut);
    const faces = async () =>
      (await info()).tasks.find(({ task_type }) => task_type === "face_detection")!;
    const before = await faces();
    assert.deepEqual([before.state, before.model], ["preparing", null]);
    const first = await ask(suite, id);
    assert.deepEqual([first.status, first.job.status], [201, "pending"]);

    release.resolve();
    await untilReady(inference);
    assert.equal((await faces()).model?.name, "yunet-2023mar");
    const second = await ask(suite, id);
    assert.deepEqual([second.status, second.job.job_id], [200, first.job.job_id]);
    assert.equal((await result(suite, first.job.job_id)).faces, 1);
    const third = await ask(suite, id);
    assert.deepEqual([third.status, third.job.job_id], [200, first.job.job_id]);
    const listed = await (await fetch(`${inference.url}/job/`)).json();
    assert.equal(listed.pagination.total_items, 1);
  },
);

Deno.test("a job_id in capitals is answered, and published, as it was given", async () => {
  await using suite = await startSuite();
  const { id: media_store_id } = await suite.upload(coffee);
  const job_id = crypto.randomUUID().toUpperCase();
  const { mqtt_url } = await suite.info();
  await using waiting = await subscribe(mqtt_url, `inference/job/${job_id}/completed`);
  const response = await fetch(`${suite.inference.url}/job/face_detection`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ media_store_id, job_id }),
  });
  assert.equal((await response.json()).job_id, job_id);
  assert.equal(response.headers.get("Location"), `/job/${job_id}`);
  assert.equal(JSON.parse((await waiting.until(() => true)).payload).job_id, job_id);
  assert.equal((await suite.job(job_id.toLowerCase())).job_id, job_id);
});

Deno.test("new bytes of an entity are looked at, and the old ones are still known", async () => {
  await using suite = await startSuite();
  const { id } = await suite.upload(astronaut);
  const first = await ask(suite, id);
  assert.equal((await result(suite, first.job.job_id)).faces, 1);
  await replace(suite, id, coffee);
  const second = await ask(suite, id);
  assert.equal(second.status, 201);
  const other = await result(suite, second.job.job_id);
  assert.deepEqual([other.sha256, other.faces], [await digest(coffee), 0]);
  await replace(suite, id, astronaut);
  const third = await ask(suite, id);
  assert.deepEqual([third.status, third.job.job_id], [200, first.job.job_id]);
});

Deno.test("a store that was restored, and gives its ids to other pictures, gets no other picture's result", async () => {
  await using suite = await startSuite();
  const { id } = await suite.upload(astronaut);
  const first = await ask(suite, id);
  await result(suite, first.job.job_id);
  await suite.inference.kill("SIGTERM");

  await using folder = await temporaryFolder();
  await using mediaStore = await startService("media_store", { DATA_DIR: folder.path });
  const restored = await clientOf(mediaStore.url, "").upload(coffee);
  assert.equal(restored.id, id);
  await using inference = await startService("inference", {
    ...BARE,
    DATA_DIR: suite.inference.dataDir,
    MEDIA_STORE_URL: mediaStore.url,
  });
  await untilReady(inference);
  const second = await ask({ inference }, id);
  assert.equal(second.status, 201);
  assert.equal((await result({ inference }, second.job.job_id)).faces, 0);
});
