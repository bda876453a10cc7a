/**
 * Settings that no other test tries through the started service.
 *
 * @module
 */
import type { EmbeddingResult, FaceDetectionResult, Job, TaskType } from "@fovea/contract";
import { loadMagick } from "@fovea/pictures/magick";
import { MagickFormat, MagickImage } from "@imagemagick/magick-wasm";
import {
  startGuarded,
  startService,
  temporaryFolder,
  testNeeding,
  tokenOf,
  until,
} from "@fovea/testing";
import { testModel, yunetDynamic } from "@fovea/testing/models";
import { BARE, clientOf, startSuite, type Suite, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { file } from "./testing/made_files.ts";

async function done(suite: Suite, task: TaskType, picture: Uint8Array): Promise<Job> {
  const { id } = await suite.upload(new Uint8Array(picture));
  const { job_id } = await suite.submit(task, { media_store_id: id });
  return await suite.ended(job_id);
}

const freePort = () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
};

Deno.test("the broker's port, the precision, the largest picture and the log are as they were set", async () => {
  const port = freePort();
  await using suite = await startSuite({
    MQTT_PORT: `${port}`,
    EMBEDDING_PRECISION: "int8",
    MAX_IMAGE_PIXELS: "10000",
    LOG_LEVEL: "debug",
    WORKER_IDLE_SECONDS: "1",
  });
  assert.equal(new URL((await suite.info()).mqtt_url).port, `${port}`);

  const small = await file(MagickFormat.Png, 100, 100, "#204060");
  const embedded = await done(suite, "image_embedding", small);
  assert.equal(embedded.status, "completed");
  assert.match(embedded.model!.backend, /int8/);

  const large = await file(MagickFormat.Png, 101, 100, "#204060");
  const refused = await done(suite, "image_embedding", large);
  assert.equal(refused.error_code, "image_too_large");
  assert.match(refused.error_message!, /10,?000/);

  // Reads are logged at this level only.
  assert.ok(
    suite.inference.log().some(({ level, method }) => level === "debug" && method === "GET"),
  );

  const alive = async () => {
    const { workers } = await (await fetch(`${suite.inference.url}/admin/stats`)).json();
    return workers.alive as number;
  };
  await until("idle workers end", async () => await alive() === 0);
  const another = await file(MagickFormat.Png, 100, 99, "#204060");
  assert.equal((await done(suite, "face_detection", another)).status, "completed");
});

Deno.test("as many jobs wait as QUEUE_LIMIT allows, and the next is told when to come back", async () => {
  // A media_store whose pictures never come.
  const silence = Promise.withResolvers<Response>();
  await using _server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => silence.promise,
  );
  const store = `http://127.0.0.1:${(_server.addr as Deno.NetAddr).port}`;
  await using inference = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: store,
    QUEUE_LIMIT: "2",
  });
  await untilReady(inference);
  const client = clientOf(store, inference.url);
  const first = await client.submit("face_detection", { media_store_id: 1 });
  await until("the first job begins", async () => {
    return (await client.job(first.job_id)).status === "processing";
  });
  for (const media_store_id of [2, 3]) await client.submit("face_detection", { media_store_id });
  const answer = await fetch(`${inference.url}/job/face_detection`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ media_store_id: 4 }),
  });
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers.get("Retry-After")) > 0);
  assert.equal((await answer.json()).code, "queue_full");
  silence.resolve(new Response(null, { status: 404 }));
});

Deno.test("with SHRINK_WHILE_DECODING=false every pixel counts, and the embedding is about the same", async () => {
  await loadMagick();
  const source = new URL("../../clients/images/rocket.jpg", import.meta.url);
  const image = MagickImage.create(await Deno.readFile(source));
  image.resize(2400, 1600);
  const picture = image.write(MagickFormat.Jpeg, (bytes) => bytes.slice());
  image.dispose();
  const embedding = async (value: string) => {
    await using suite = await startSuite({ SHRINK_WHILE_DECODING: value });
    const { result } = await done(suite, "image_embedding", picture);
    return (result as EmbeddingResult).embedding;
  };
  const [whole, shrunk] = [await embedding("false"), await embedding("true")];
  assert.notDeepEqual(whole, shrunk);
  const cosine = whole.reduce((sum, value, i) => sum + value * shrunk[i]!, 0);
  assert.ok(cosine >= 0.999, `cosine ${cosine}`);
});

Deno.test("models are fetched through HTTP_PROXY", async () => {
  const model = await testModel("face_detection", "ultraface-rfb-320");
  const asked: string[] = [];
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url }) => {
      asked.push(url);
      return new Response(await Deno.readFile(model.path));
    },
  );
  await using models = await temporaryFolder();
  await using inference = await startService("inference", {
    ...BARE,
    MODELS_DIR: models.path,
    // No such host is: only a proxy can know it.
    MODEL_MIRROR: "http://mirror.invalid/models",
    HTTP_PROXY: `http://127.0.0.1:${proxy.addr.port}`,
    NO_PROXY: "127.0.0.1",
    npm_config_registry: "http://127.0.0.1:9/",
  });
  const { info } = clientOf("", inference.url);
  await until("the model for faces", async () => {
    const faces = (await info()).tasks.find(({ task_type }) => task_type === "face_detection");
    return faces?.state === "ready";
  });
  assert.ok(asked.includes("http://mirror.invalid/models/ultraface_rfb_320.onnx"), asked.join());
});

testNeeding([yunetDynamic], "FACE_MODEL=yunet-n-dynamic finds faces by that model", async () => {
  await using suite = await startSuite({ FACE_MODEL: "yunet-n-dynamic" });
  const picture = await Deno.readFile(
    new URL("../../clients/images/astronaut.png", import.meta.url),
  );
  const { model, result } = await done(suite, "face_detection", picture);
  assert.equal(model?.name, "yunet-n-dynamic");
  const { faces } = result as FaceDetectionResult;
  assert.deepEqual([faces.length, faces[0]?.landmarks?.length], [1, 5]);
});

Deno.test("a token's issuer, audience and end are what the settings say, in both services", async () => {
  const settings = { JWT_ISSUER: "us", JWT_AUDIENCE: "fovea", JWT_MAX_DAYS: "2" };
  for (
    const [name, path] of [["media_store", "/entity/"], ["empty_inference", "/job/"]] as const
  ) {
    await using guarded = await startGuarded(name, { ...settings, READ_AUTH_ENABLED: "true" });
    const inDays = (days: number) => Math.floor(Date.now() / 1000) + days * 24 * 3600;
    const good = { iss: "us", aud: ["others", "fovea"], exp: inDays(1) };
    for (
      const [claims, status, said] of [
        [good, 200, ""],
        [{ ...good, iss: "them" }, 401, "iss"],
        [{ ...good, aud: "others" }, 401, "aud"],
        [{ ...good, exp: inDays(3) }, 401, "exp"],
      ] as const
    ) {
      const answer = await guarded.call(path, await tokenOf(guarded.privateKey, claims));
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      assert.ok(status === 200 || JSON.parse(text).detail.includes(said), text);
    }
  }
});
