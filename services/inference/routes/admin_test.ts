import { asJson } from "@fovea/testing";
import assert from "node:assert/strict";
import { answerProblems } from "@fovea/http/problem_response";
import { accessGuard } from "@fovea/http/access";
import { INFERENCE_RIGHTS, type Right } from "@fovea/contract";
import { Hono } from "hono";
import { failed, openJobs, silent } from "../testing/open_jobs.ts";
import type { PoolState } from "../workers/pool.ts";
import { adminRoutes } from "./admin.ts";

const workers: PoolState = {
  size: 2,
  alive: 2,
  busy: 0,
  restarts: { deadline: 1, died: 0, memory: 0, recycled: 0, cancelled: 0, canary: 0, stuck: 0 },
  unfit: {},
};

async function openApp() {
  const opened = await openJobs();
  const asked: Right[] = [];
  const access = {
    check: (right: Right) => {
      asked.push(right);
      return Promise.resolve(null);
    },
  };
  const app = new Hono();
  answerProblems(app, silent);
  app.use(accessGuard(access, INFERENCE_RIGHTS));
  app.route("/", adminRoutes(opened.administration, () => workers));
  const call = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : asJson(body, method);
    const response = await app.request(path, init);
    return { status: response.status, body: await response.json() };
  };
  return { opened, asked, call, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

Deno.test("stats tell of jobs and of workers, to administrators", async () => {
  await using app = await openApp();
  await app.opened.jobs.submit("face_detection", { media_store_id: 1 });
  const { status, body } = await app.call("GET", "/admin/stats");
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["by_task", "by_status", "queue", "throughput", "workers"]);
  assert.equal(body.by_status.pending, 1);
  assert.deepEqual(body.workers, workers);
  await app.call("POST", "/admin/retry");
  await app.call("DELETE", "/admin/cleanup?status=error");
  assert.deepEqual(app.asked, ["is_admin", "is_admin", "is_admin"]);
});

Deno.test("failed jobs are retried by what narrows them, and counted", async () => {
  await using app = await openApp();
  const { opened, call } = app;
  await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  const other = await call("POST", "/admin/retry", { error_code: "entity_not_found" });
  assert.deepEqual(other.body, { retried: 0 });
  assert.deepEqual((await call("POST", "/admin/retry")).body, { retried: 1 });

  const wrong = await call("POST", "/admin/retry", { error_code: "bad", colour: "red" });
  assert.deepEqual([wrong.status, wrong.body.code], [422, "malformed_body"]);
  assert.match(wrong.body.detail, /error_code.*colour/s);
});

Deno.test("ended jobs are removed by status and age, and counted", async () => {
  await using app = await openApp();
  const { opened, call } = app;
  await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  opened.clock.now += 1;
  const recent = await call("DELETE", "/admin/cleanup?status=error&older_than_days=1");
  assert.deepEqual(recent.body, { removed: 0, by_status: {} });
  const all = await call("DELETE", "/admin/cleanup?older_than_days=0");
  assert.deepEqual(all.body, { removed: 1, by_status: { error: 1 } });
});

Deno.test("removing everything must be asked for, and what has not ended can't be removed", async () => {
  await using app = await openApp();
  for (
    const [query, said] of [
      ["", /status or older_than_days/],
      ["?status=pending", /status is ".*": one of .*completed/],
      ["?older_than_days=-1", /older_than_days is .*: 0 is the least/],
      // What a shell makes of a variable that is not set.
      ["?status=error&older_than_days=", /older_than_days is "": a number is expected/],
      ["?status=&older_than_days=1", /status is "": one of/],
      ["?older_than_days=1&older_than_days=2", /older_than_days: comes 2 times/],
    ] as const
  ) {
    const { status, body } = await app.call("DELETE", `/admin/cleanup${query}`);
    assert.deepEqual([status, body.code], [422, "invalid_parameter"]);
    assert.match(body.detail, said);
  }
});
