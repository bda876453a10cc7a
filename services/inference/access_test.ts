import type { FaceDetectionResult } from "@fovea/contract";
import { asJson, startGuarded, tokenOf, within } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import { connectAsync } from "mqtt";
import assert from "node:assert/strict";
import { subscribe } from "./testing/subscriber.ts";

const astronaut = await Deno.readFile(
  new URL("../../clients/images/astronaut.png", import.meta.url),
);
const post = asJson({ media_store_id: 1 });
const remove = { method: "DELETE" };

async function refused(response: Response, status: number, code: string): Promise<void> {
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  const problem = await response.json();
  assert.deepEqual([response.status, problem.code], [status, code]);
}

Deno.test("creating and removing jobs needs a token with the right, looking at them needs none", async () => {
  await using guarded = await startGuarded("inference", BARE);
  const { call, privateKey } = guarded;
  const reader = await tokenOf(privateKey, {});
  const supporter = await tokenOf(privateKey, { ai_inference_support: true });
  const path = "/job/face_detection";

  const without = await call(path, undefined, post);
  assert.equal(without.headers.get("WWW-Authenticate"), "Bearer");
  await refused(without, 401, "unauthorized");
  await refused(await call(path, "rubbish", post), 401, "unauthorized");
  await refused(await call(path, reader, post), 403, "forbidden");
  const created = await call(path, supporter, post);
  assert.equal(created.status, 201);
  const { job_id } = await created.json();

  assert.equal((await (await call(`/job/${job_id}`)).json()).job_id, job_id);
  await refused(await call(`/job/${job_id}`, reader, remove), 403, "forbidden");
  assert.deepEqual(await (await call(`/job/${job_id}`, supporter, remove)).json(), {
    status: "deleted",
  });
});

Deno.test("with READ_AUTH_ENABLED reading needs a token too, health and documentation never do", async () => {
  await using guarded = await startGuarded("inference", { ...BARE, READ_AUTH_ENABLED: "true" });
  const { call, privateKey } = guarded;
  for (const read of ["/job/", "/metrics"]) {
    await refused(await call(read), 401, "unauthorized");
  }
  const listed = await call("/job/", await tokenOf(privateKey, {}));
  assert.equal((await listed.json()).pagination.total_items, 0);
  for (const open of ["/", "/health", "/info", "/docs", "/openapi.json"]) {
    const response = await call(open);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }
});

Deno.test("inference reads pictures from a media_store that wants a token, with its own", async () => {
  await using store = await startGuarded("media_store", { READ_AUTH_ENABLED: "true" });
  const writer = await tokenOf(store.privateKey, { media_store_write: true });
  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([astronaut], "astronaut.png"));
  const stored = await store.call("/entity/", writer, { method: "POST", body: form });
  const { id } = await stored.json();

  await using guarded = await startGuarded("inference", {
    ...BARE,
    MEDIA_STORE_URL: store.service.url,
    FOVEA_TOKEN: await tokenOf(store.privateKey, {}),
  });
  await untilReady(guarded.service);
  const token = await tokenOf(guarded.privateKey, { ai_inference_support: true });
  const created = await guarded.call("/job/face_detection", token, asJson({ media_store_id: id }));
  const { job_id } = await created.json();
  const job = await clientOf("", guarded.service.url).ended(job_id);
  assert.equal(job.status, "completed", job.error_message ?? "");
  assert.equal((job.result as FaceDetectionResult).face_count, 1);
});

Deno.test("with READ_AUTH_ENABLED the broker wants the token too, as password, on TCP and WebSocket", async () => {
  await using guarded = await startGuarded("empty_inference", {
    ...BARE,
    READ_AUTH_ENABLED: "true",
  });
  const { service, privateKey, call } = guarded;
  const { mqtt_url } = await (await call("/info")).json();
  const reader = await tokenOf(privateKey, {});
  const ended = await tokenOf(privateKey, { exp: Math.floor(Date.now() / 1000) - 3600 });
  for (const url of [mqtt_url, `${service.url.replace("http", "ws")}/mqtt`]) {
    for (const password of [undefined, "rubbish", ended]) {
      const options = { username: "anybody", reconnectPeriod: 0, ...password && { password } };
      await assert.rejects(connectAsync(url, options), /Not authorized/, `${url} ${password}`);
    }
    const hears = { username: "anybody", password: reader };
    await using subscriber = await subscribe(url, "#", hears);
    await subscriber.until(({ payload }) => payload === "online");
    await using other = await subscribe(url, "elsewhere", hears);
    const client = await connectAsync(url, hears);
    await client.publishAsync("elsewhere", "from a bearer of a token", { qos: 1 });
    await other.until(({ payload }) => payload === "from a bearer of a token");
    await client.endAsync();
  }
});

Deno.test("where reading is open everybody hears events, and only bearers of a token publish", async () => {
  await using guarded = await startGuarded("empty_inference", BARE);
  const { mqtt_url } = await (await guarded.call("/info")).json();
  await using subscriber = await subscribe(mqtt_url, "#");
  const stranger = await connectAsync(mqtt_url);
  await stranger.publishAsync("elsewhere", "from a stranger", { qos: 1 });
  const password = await tokenOf(guarded.privateKey, {});
  const bearer = await connectAsync(mqtt_url, { username: "anybody", password });
  await bearer.publishAsync("elsewhere", "from a bearer", { qos: 1 });
  await subscriber.until(({ payload }) => payload === "from a bearer");
  assert.ok(!subscriber.heard.some(({ payload }) => payload === "from a stranger"));
  await stranger.endAsync();
  await bearer.endAsync();
});

Deno.test("the bearer of a token hears events no longer than the token lasts", async () => {
  await using guarded = await startGuarded("empty_inference", {
    ...BARE,
    READ_AUTH_ENABLED: "true",
  });
  const { mqtt_url } = await (await guarded.call("/info")).json();
  // The clocks may be a minute apart: it lasts a few seconds from now on.
  const exp = Math.floor(Date.now() / 1000) + 3;
  const password = await tokenOf(guarded.privateKey, { exp });
  const client = await connectAsync(mqtt_url, { username: "x", password, reconnectPeriod: 0 });
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  await within("the end of a connection whose token has ended", closed);
  assert.ok(Date.now() / 1000 < exp + 10, "the connection outlived its token");
  await client.endAsync(true);
});
