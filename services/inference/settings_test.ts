/**
 * Settings that no other test tries through the started service.
 *
 * @module
 */
import type { EmbeddingResult, Job, TaskType } from "@fovea/contract";
import { loadMagick } from "@fovea/pictures/magick";
import { MagickFormat, MagickImage } from "@imagemagick/magick-wasm";
import { startService, until } from "@fovea/testing";
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
