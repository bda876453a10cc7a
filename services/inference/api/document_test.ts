import { INFERENCE_RIGHTS, type JobResult } from "@fovea/contract";
import { EVERYBODY } from "@fovea/http/access";
import { assertDescribes, assertRights, assertValid, witness } from "@fovea/testing/api_document";
import { asJson } from "@fovea/testing";
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { createApp } from "../app.ts";
import { EventFeed } from "../events/event_feed.ts";
import type { Check } from "../readiness.ts";
import { BYTES, openJobs, silent } from "../testing/open_jobs.ts";
import { describeInference } from "./document.ts";

async function openApp(checks: Check[] = []) {
  const opened = await openJobs(5);
  const restarts = {
    deadline: 1,
    died: 0,
    memory: 0,
    recycled: 0,
    cancelled: 0,
    canary: 0,
    stuck: 0,
  };
  const app = createApp({
    jobs: opened.jobs,
    administration: opened.administration,
    workers: () => ({ size: 1, alive: 1, busy: 0, restarts, unfit: { 1: "stuck" } }),
    feed: new EventFeed({ db: opened.db }),
    access: EVERYBODY,
    info: () => ({
      name: "fovea-inference",
      version: "1.2.3",
      mqtt_url: "mqtt://127.0.0.1:1883",
      mqtt_built_in: true,
      tasks: opened.models.describe(),
      workers: 1,
      backend: "none",
    }),
    checks,
    accept: () => {},
    log: silent,
    metrics: new Registry(),
  });
  const timingsMs = { fetch: 1.5, decode: 2, infer: 3 };
  /** Has the best pending job done. */
  const finish = async (result: JobResult) => {
    await opened.recordOutcome(await opened.begin(), {
      ok: true,
      sha256: BYTES,
      result,
      timingsMs,
    });
  };
  const fail = async () => {
    const why = { code: "image_unreadable", detail: "no picture" } as const;
    const outcome = { ok: false, sha256: BYTES, ...why, timingsMs } as const;
    await opened.recordOutcome(await opened.begin(), outcome);
  };
  const dispose = () => opened[Symbol.asyncDispose]();
  return { app, finish, fail, [Symbol.asyncDispose]: dispose };
}

Deno.test("inference's API document is valid OpenAPI 3.1, with a broker and without", async () => {
  await assertValid(describeInference(true));
  await assertValid(describeInference(false));
});

Deno.test("inference's API document describes every route, and no other", async () => {
  await using opened = await openApp();
  assertDescribes(describeInference(true), opened.app);
  assertRights(describeInference(true), opened.app, INFERENCE_RIGHTS);
});

Deno.test("inference answers as its API document says", async () => {
  let flooded = false;
  const check = () => {
    if (flooded) throw new Error("it is flooded");
  };
  const checks = [{ name: "cellar", check }, { name: "attic", optional: true, check }];
  await using opened = await openApp(checks);
  const document = witness(describeInference(true));
  const call = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : asJson(body, method);
    const answer = await opened.app.request(path, init);
    await document.check(method, path, answer);
    const { status } = answer;
    await answer.body?.cancel();
    return status;
  };
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  const faces = { media_store_id: 1, job_id: first };
  const unknown = `/job/${crypto.randomUUID()}`;

  assert.equal(await call("POST", "/job/face_detection", faces), 201);
  assert.equal(await call("POST", "/job/face_detection", faces), 200);
  assert.equal(await call("POST", "/job/face_detection", { media_store_id: 1 }), 200);
  assert.equal(await call("POST", "/job/face_detection", { ...faces, priority: 1 }), 409);
  assert.equal(await call("POST", "/job/face_detection", { media_store_id: 2, priority: 11 }), 400);
  assert.equal(await call("POST", "/job/face_detection", {}), 422);
  assert.equal(await call("POST", "/job/mind_reading", faces), 400);
  assert.equal(await call("GET", `/job/${first}`), 200);
  const box = { x: 1.5, y: 2, width: 3, height: 4 };
  const landmarks: [number, number][] = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]];
  await opened.finish({
    faces: [
      { face_index: 0, bbox: box, landmarks, confidence: 0.9 },
      { face_index: 1, bbox: box, landmarks: null, confidence: 0.8 },
    ],
    face_count: 2,
    image_width: 8,
    image_height: 8,
  });
  assert.equal(await call("GET", `/job/${first}`), 200);

  const embedding = { media_store_id: 1, job_id: second };
  assert.equal(await call("POST", "/job/image_embedding", embedding), 201);
  await opened.finish({
    embedding: [0.6, 0.8],
    embedding_dimension: 2,
    stored_in_vector_db: true,
    collection: "image_embeddings",
    point_id: 1,
  });
  assert.equal(await call("GET", `/job/${second}`), 200);
  assert.equal(await call("GET", "/job/?status=completed&page_size=1"), 200);
  assert.equal(await call("GET", "/job/?status=finished"), 422);
  assert.equal(await call("DELETE", `/job/${first}`), 200);
  assert.equal(await call("DELETE", unknown), 404);
  assert.equal(await call("GET", unknown), 404);

  const third = crypto.randomUUID();
  assert.equal(await call("POST", `/job/${second}/retry`), 409);
  assert.equal(await call("POST", `${unknown}/retry`), 404);
  await call("POST", "/job/image_embedding", { media_store_id: 3, job_id: third });
  await opened.fail();
  assert.equal(await call("GET", `/job/${third}`), 200);
  assert.equal(await call("POST", `/job/${third}/retry`), 200);
  for (const media_store_id of [4, 5, 6, 7]) {
    assert.equal(await call("POST", "/job/image_embedding", { media_store_id }), 201);
  }
  assert.equal(await call("POST", "/job/image_embedding", { media_store_id: 8 }), 429);
  assert.equal(await call("GET", "/admin/stats"), 200);
  assert.equal(await call("POST", "/admin/retry"), 200);
  assert.equal(await call("POST", "/admin/retry", { error_code: "no_such_code" }), 422);
  assert.equal(await call("DELETE", "/admin/cleanup?status=completed"), 200);
  assert.equal(await call("DELETE", "/admin/cleanup"), 422);
  assert.equal(await call("GET", "/events?job_id=x"), 422);

  assert.equal(await call("GET", "/info"), 200);
  assert.equal(await call("GET", "/health"), 200);
  assert.equal(await call("GET", "/health/ready"), 200);
  flooded = true;
  assert.equal(await call("GET", "/health/ready"), 503);
  assert.equal(await call("GET", "/mqtt"), 426);
  for (const path of ["/", "/docs", "/docs/start.js", "/openapi.json", "/metrics"]) {
    assert.equal(await call("GET", path), 200);
  }
  // One goes on for as long as the client stays, the other is a WebSocket.
  assert.deepEqual(document.unseen(), ["GET /events", "GET /mqtt"]);
});
