import { answerProblems } from "@fovea/http/problem_response";
import type { ProblemDocument } from "@fovea/contract";
import { Hono } from "hono";
import { asJson, asJsonText } from "@fovea/testing";
import assert from "node:assert/strict";
import { failed, openJobs, silent } from "../testing/open_jobs.ts";
import { jobRoutes } from "./jobs.ts";

async function openApp(limit?: number) {
  const opened = await openJobs(limit);
  const app = new Hono({ strict: false });
  answerProblems(app, silent);
  app.route("/", jobRoutes(opened.jobs));
  const call = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined
      ? { method }
      : typeof body === "string"
      ? asJsonText(body, method)
      : asJson(body, method);
    const response = await app.request(path, init);
    return { response, body: await response.json() };
  };
  const refused = async (
    status: number,
    code: string,
    detail: RegExp,
    ...what: Parameters<typeof call>
  ) => {
    const { response, body } = await call(...what);
    assert.equal(response.headers.get("Content-Type"), "application/problem+json");
    const problem = body as ProblemDocument;
    assert.deepEqual([response.status, problem.status, problem.code], [status, status, code]);
    assert.match(problem.detail, detail);
  };
  return { opened, call, refused, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

Deno.test("a new job is answered with 201 and where it is, the same again with 200", async () => {
  await using app = await openApp();
  const request = { media_store_id: 1, job_id: crypto.randomUUID() };
  const first = await app.call("POST", "/job/face_detection", request);
  assert.equal(first.response.status, 201);
  assert.equal(first.response.headers.get("Location"), `/job/${request.job_id}`);
  assert.equal((await app.call("POST", "/job/face_detection", request)).response.status, 200);
  const got = await app.call("GET", `/job/${request.job_id}`);
  assert.deepEqual(got.body, first.body);
});

Deno.test("each wrong way to ask for a job has its own answer", async () => {
  await using app = await openApp();
  const post = (path: string, body: unknown) => ["POST", path, body] as const;
  const faces = "/job/face_detection";
  await app.refused(
    400,
    "unknown_task_type",
    /"faces".*image_embedding and face_detection/,
    ...post("/job/faces", { media_store_id: 1 }),
  );
  await app.refused(
    400,
    "priority_out_of_range",
    /11: 0 to 10/,
    ...post(faces, { media_store_id: 1, priority: 11 }),
  );
  await app.refused(
    400,
    "priority_out_of_range",
    /-1: 0 to 10/,
    ...post(faces, { media_store_id: 1, priority: -1 }),
  );
  await app.refused(
    422,
    "malformed_body",
    /priority is 1.5: a whole number is expected/,
    ...post(faces, { media_store_id: 1, priority: 1.5 }),
  );
  await app.refused(
    422,
    "malformed_body",
    /media_store_id is "1": a number is expected/,
    ...post(faces, { media_store_id: "1" }),
  );
  await app.refused(
    422,
    "malformed_body",
    /media_store_id is missing: a number is expected/,
    ...post(faces, {}),
  );
  await app.refused(
    422,
    "malformed_body",
    /job_id is "mine": a UUID is expected/,
    ...post(faces, { media_store_id: 1, job_id: "mine" }),
  );
  await app.refused(
    422,
    "malformed_body",
    /min_confidence is 2: 1 is the most/,
    ...post(faces, { media_store_id: 1, min_confidence: 2 }),
  );
  await app.refused(
    422,
    "malformed_body",
    /max_faces is 0: 1 is the least/,
    ...post(faces, { media_store_id: 1, max_faces: 0 }),
  );
  await app.refused(
    422,
    "malformed_body",
    /body is not JSON/,
    ...post(faces, "{media_store_id: 1"),
  );
  await app.refused(422, "malformed_body", /^an object is expected$/, ...post(faces, []));
  assert.equal((await app.call("GET", "/job/")).body.pagination.total_items, 0);
});

Deno.test("the same asked again under another id is answered with 200, the job and where it is", async () => {
  await using app = await openApp();
  const { body: job } = await app.call("POST", "/job/face_detection", { media_store_id: 1 });
  const request = { media_store_id: 1, job_id: crypto.randomUUID() };
  const { response, body } = await app.call("POST", "/job/face_detection", request);
  assert.equal(response.status, 200);
  assert.deepEqual(body, job);
  assert.equal(response.headers.get("Location"), `/job/${job.job_id}`);
});

Deno.test("what is not there is answered with 404", async () => {
  await using app = await openApp();
  const id = crypto.randomUUID();
  await app.refused(404, "job_not_found", new RegExp(id), "GET", `/job/${id}`);
  await app.refused(404, "job_not_found", new RegExp(id), "DELETE", `/job/${id}`);
  await app.refused(404, "route_not_found", /no GET \/nothing here/, "GET", "/nothing");
});

Deno.test("jobs are listed in pages, and what narrows them is checked", async () => {
  await using app = await openApp();
  for (let id = 1; id <= 3; id++) {
    await app.call("POST", "/job/face_detection", { media_store_id: id });
  }
  const { body } = await app.call("GET", "/job/?status=pending&page_size=2&page=2");
  assert.deepEqual(body.items.map((job: { media_store_id: number }) => job.media_store_id), [1]);
  assert.deepEqual(body.pagination, {
    page: 2,
    page_size: 2,
    total_items: 3,
    total_pages: 2,
    has_next: false,
    has_prev: true,
  });
  await app.refused(
    422,
    "invalid_parameter",
    /status is ".*": one of pending/,
    "GET",
    "/job/?status=waiting",
  );
  await app.refused(
    422,
    "invalid_parameter",
    /page_size is .*: 100 is the most/,
    "GET",
    "/job/?page_size=1000000000",
  );
  await app.refused(422, "invalid_parameter", /colour/, "GET", "/job/?colour=red");
});

Deno.test("a removed job is answered with what was done", async () => {
  await using app = await openApp();
  const { body: job } = await app.call("POST", "/job/face_detection", { media_store_id: 1 });
  const { response, body } = await app.call("DELETE", `/job/${job.job_id}`);
  assert.equal(response.status, 200);
  assert.deepEqual(body, { status: "deleted" });
});

Deno.test("a job that ended in error is retried, any other is refused by its status", async () => {
  await using app = await openApp();
  const { body: job } = await app.call("POST", "/job/face_detection", { media_store_id: 1 });
  const path = `/job/${job.job_id}/retry`;
  await app.refused(
    409,
    "job_not_failed",
    /is pending: only one that ended in error/,
    "POST",
    path,
  );
  await app.opened.recordOutcome(await app.opened.begin(), failed("image_truncated"));
  const { response, body } = await app.call("POST", path);
  assert.deepEqual([response.status, body.job_id, body.status], [200, job.job_id, "pending"]);
});

Deno.test("a full queue answers 429, how full it is and when to come again", async () => {
  await using app = await openApp(1);
  await app.call("POST", "/job/face_detection", { media_store_id: 1 });
  const { response, body } = await app.call("POST", "/job/face_detection", { media_store_id: 2 });
  assert.deepEqual([response.status, body.code], [429, "queue_full"]);
  assert.deepEqual([body.queue_depth, body.queue_limit], [1, 1]);
  assert.equal(response.headers.get("Retry-After"), String(body.retry_after_s));
  assert.ok(body.retry_after_s >= 1);
});

Deno.test("an error nobody foresaw is answered without its words", async () => {
  await using app = await openApp();
  await app.opened.db.schema.dropTable("job").execute();
  const { response, body } = await app.call("GET", `/job/${crypto.randomUUID()}`);
  assert.deepEqual([response.status, body.code], [500, "internal_error"]);
  assert.doesNotMatch(body.detail, /table|sqlite/i);
});
