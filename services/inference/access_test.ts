import { asJson, startGuarded, tokenOf } from "@fovea/testing";
import { BARE, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";

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
  const look = async () => await (await guarded.call(`/job/${job_id}`)).json();
  let job = await look();
  while (job.status === "pending" || job.status === "processing") {
    await new Promise((resolve) => setTimeout(resolve, 20));
    job = await look();
  }
  assert.deepEqual([job.status, job.result?.face_count], ["completed", 1], job.error_message);
});
