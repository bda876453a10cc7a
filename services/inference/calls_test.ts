/**
 * The calls that README.md promises and no other test makes of the started service.
 *
 * @module
 */
import type { FaceDetectionResult, Job, Page, ProblemDocument } from "@fovea/contract";
import { asJson, type ServiceProcess, startService, until } from "@fovea/testing";
import { BARE, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { subscribe } from "./testing/subscriber.ts";

const image = (name: string) =>
  Deno.readFile(new URL(`../../clients/images/${name}`, import.meta.url));
const [astronaut, horse] = [await image("astronaut.png"), await image("horse.png")];

/** Entities of the stand-in for media_store: 1 has a face, 2 has none, 3 never comes, others are missing. */
const FACE = 1, NO_FACE = 2, ENDLESS = 3, MISSING = 4;

const hang = Promise.withResolvers<Response>();
let store: Deno.HttpServer<Deno.NetAddr>;
let service: ServiceProcess;
Deno.test.beforeAll(async () => {
  store = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health/ready" || pathname === "/entity/") return Response.json({});
    if (request.method === "POST") return Response.json({}, { status: 202 });
    if (!pathname.endsWith("/image")) return new Response(null, { status: 404 });
    switch (Number(pathname.split("/")[2])) {
      case FACE:
        return new Response(astronaut);
      case NO_FACE:
        return new Response(horse);
      case ENDLESS:
        return hang.promise;
      default:
        return new Response(null, { status: 404 });
    }
  });
  service = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: `http://127.0.0.1:${store.addr.port}`,
  });
  await untilReady(service);
});
Deno.test.afterAll(async () => {
  hang.resolve(new Response(null, { status: 404 }));
  await service[Symbol.asyncDispose]();
  await store.shutdown();
});

// The service outlives each test, and what it writes is read all the while.
const outliving = { sanitizeOps: false, sanitizeResources: false };
const test = (name: string, fn: () => Promise<void>) => Deno.test({ ...outliving, name, fn });

/** @throws {Error} where the answer has another status */
async function call<T>(path: string, init: RequestInit = {}, status = 200): Promise<T> {
  const answer = await fetch(`${service.url}${path}`, init);
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  return JSON.parse(text);
}

const submit = (body: object, status = 201, task = "face_detection") =>
  call<Job>(`/job/${task}`, asJson(body), status);
const job = (id: string) => call<Job>(`/job/${id}`);
const done = (id: string) =>
  until(`the end of job ${id}`, async () => {
    const now = await job(id);
    return now.completed_at !== null && now;
  });

test("a face needs min_confidence, and no more than max_faces are told", async () => {
  const count = async (options: object) => {
    const { job_id } = await submit({ media_store_id: FACE, ...options });
    const { result, error_message } = await done(job_id);
    assert.equal(error_message, null);
    return (result as FaceDetectionResult).face_count;
  };
  assert.equal(await count({ min_confidence: 1 }), 0);
  const many = await count({ min_confidence: 0.05 });
  assert.ok(many > 1, `${many} faces at 0.05`);
  assert.equal(await count({ min_confidence: 0.05, max_faces: 1 }), 1);
});

test("jobs are listed by status, task and entity, newest first, by pages", async () => {
  const first = await done((await submit({ media_store_id: NO_FACE, force: true })).job_id);
  const second = await done((await submit({ media_store_id: NO_FACE, force: true })).job_id);
  const missing = await done((await submit({ media_store_id: MISSING, force: true })).job_id);
  const embedded = { media_store_id: NO_FACE };
  const other = await done((await submit(embedded, 201, "image_embedding")).job_id);
  const list = async (query: string) =>
    (await call<Page<Job>>(`/job/?${query}`)).items.map(({ job_id }) => job_id);
  const ofEntity = `media_store_id=${NO_FACE}`;
  assert.deepEqual(await list(ofEntity), [other.job_id, second.job_id, first.job_id]);
  assert.deepEqual(await list(`${ofEntity}&task_type=image_embedding`), [other.job_id]);
  assert.deepEqual(await list(`${ofEntity}&page=2&page_size=2`), [first.job_id]);
  assert.deepEqual(await list("status=error"), [missing.job_id]);
  const { pagination } = await call<Page<Job>>(`/job/?${ofEntity}&page_size=2`);
  assert.deepEqual([pagination.total_items, pagination.total_pages], [3, 2]);
});

test("the same job_id is safe to send again, and refused for another question", async () => {
  const asked = { media_store_id: NO_FACE, job_id: crypto.randomUUID(), force: true };
  await submit(asked);
  assert.equal((await submit(asked, 200)).job_id, asked.job_id);
  const refused = await call<ProblemDocument>(
    "/job/face_detection",
    asJson({ ...asked, media_store_id: FACE }),
    409,
  );
  assert.equal(refused.code, "job_id_taken");
  await done(asked.job_id);
});

test("jobs that ended in error are tried again, one or all of a kind, and no others", async () => {
  const post = { method: "POST" };
  const completed = await done((await submit({ media_store_id: NO_FACE, force: true })).job_id);
  const refused = await call<ProblemDocument>(`/job/${completed.job_id}/retry`, post, 409);
  assert.equal(refused.code, "job_not_failed");

  const { job_id } = await submit({ media_store_id: MISSING, force: true });
  const failed = await done(job_id);
  assert.equal(failed.error_code, "entity_not_found");
  assert.equal((await call<Job>(`/job/${job_id}/retry`, post)).status, "pending");
  const again = await done(job_id);
  assert.ok(again.started_at! >= failed.completed_at!);

  const retry = async (filter: object) =>
    (await call<{ retried: number }>("/admin/retry", asJson(filter))).retried;
  assert.equal(await retry({ error_code: "image_truncated" }), 0);
  assert.equal(await retry({ task_type: "image_embedding" }), 0);
  assert.equal(await retry({ since: again.completed_at! + 60_000 }), 0);
  const since = again.completed_at!;
  assert.equal(
    await retry({ task_type: "face_detection", error_code: "entity_not_found", since }),
    1,
  );
  await done(job_id);
});

test("a job is cancelled while it runs and while it waits, and removed when it has ended", async () => {
  const { mqtt_url } = await call<{ mqtt_url: string }>("/info");
  await using subscriber = await subscribe(mqtt_url, "inference/events");
  const running = await submit({ media_store_id: ENDLESS });
  await until("the job begins", async () => (await job(running.job_id)).status === "processing");
  const waiting = await submit({ media_store_id: NO_FACE, force: true, priority: 0 });
  const remove = (id: string, status = 200) =>
    call<{ status: string }>(`/job/${id}`, { method: "DELETE" }, status);
  for (const { job_id } of [waiting, running]) {
    assert.equal((await remove(job_id)).status, "deleted");
    assert.equal((await job(job_id)).status, "cancelled");
    await subscriber.until(({ payload }) => {
      return payload.includes("job_cancelled") && payload.includes(job_id);
    });
    await remove(job_id);
    await call(`/job/${job_id}`, {}, 404);
  }
});

test("ended jobs are removed by status, and all are counted until then", async () => {
  await done((await submit({ media_store_id: MISSING, force: true })).job_id);
  const stats = await call<{ by_status: Record<string, number> }>("/admin/stats");
  const { error, completed } = stats.by_status;
  assert.ok(error! > 0 && completed! > 0);
  const removed = await call("/admin/cleanup?status=error", { method: "DELETE" });
  assert.deepEqual(removed, { removed: error, by_status: { error } });
  const { by_status } = await call<typeof stats>("/admin/stats");
  assert.deepEqual([by_status.error, by_status.completed], [0, completed]);
});

test("an answer names its request, by the client's own name where there is one", async () => {
  for (const [sent, expected] of [["mine-1", /^mine-1$/], [undefined, /^[\w-]{8,}$/]] as const) {
    const headers = sent === undefined ? {} : { "X-Request-Id": sent };
    const answer = await fetch(`${service.url}/job/${crypto.randomUUID()}`, { headers });
    assert.match(answer.headers.get("X-Request-Id") ?? "", expected);
    const problem: ProblemDocument = await answer.json();
    assert.equal(problem.request_id, answer.headers.get("X-Request-Id"));
  }
});
