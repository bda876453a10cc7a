import assert from "node:assert/strict";
import { done, failed, openJobs } from "../testing/open_jobs.ts";
import { REMOVABLE } from "./administration.ts";

const DAY_MS = 24 * 60 * 60_000;
type Opened = Awaited<ReturnType<typeof openJobs>>;

/** Has jobs end in error, on entities of their own. */
async function fail(opened: Opened, ids: number[], code: Parameters<typeof failed>[0]) {
  for (const media_store_id of ids) {
    await opened.jobs.submit("face_detection", { media_store_id });
    await opened.recordOutcome(await opened.begin(), failed(code));
  }
}

Deno.test("jobs are counted by task and status, and the counts survive a restart", async () => {
  await using opened = await openJobs();
  await fail(opened, [1, 2], "image_truncated");
  for (const id of [3, 4, 5]) await opened.jobs.submit("image_embedding", { media_store_id: id });
  opened.clock.now += 1500;
  await opened.begin();
  await opened.reopen();
  const stats = await opened.administration.stats();
  assert.deepEqual(stats.by_task.face_detection?.error, 2);
  assert.deepEqual(stats.by_task.image_embedding?.pending, 2);
  assert.deepEqual(stats.by_status, {
    pending: 2,
    processing: 1,
    completed: 0,
    error: 2,
    sync_failed: 0,
    cancelled: 0,
  });
  assert.deepEqual(stats.queue, {
    depth: 2,
    limit: 1000,
    oldest_pending_ms: { image_embedding: 1500, face_detection: null },
  });
});

Deno.test("what ended within the last minute is the throughput", async () => {
  await using opened = await openJobs();
  await fail(opened, [1, 2, 3], "image_truncated");
  opened.clock.now += 9000;
  const { throughput } = await opened.administration.stats();
  assert.deepEqual(throughput, { last_minute: 3, per_second: 0.3 });
});

Deno.test("failed jobs are retried together, as narrowly as is asked", async () => {
  await using opened = await openJobs();
  await fail(opened, [1], "image_truncated");
  opened.clock.now += 1000;
  const since = opened.clock.now;
  await fail(opened, [2, 3], "image_truncated");
  await fail(opened, [4], "entity_not_found");
  const { administration } = opened;
  assert.equal(await administration.retryFailed({ task_type: "image_embedding" }), 0);
  assert.equal(await administration.retryFailed({ error_code: "image_truncated", since }), 2);
  assert.equal(await administration.retryFailed({}), 2);
  assert.equal((await administration.stats()).queue.depth, 4);
});

Deno.test("no more jobs are retried than there is room for", async () => {
  await using opened = await openJobs(3);
  await fail(opened, [1, 2, 3, 4, 5], "image_truncated");
  await opened.jobs.submit("face_detection", { media_store_id: 6 });
  assert.equal(await opened.administration.retryFailed({}), 2);
  assert.equal(await opened.administration.retryFailed({}), 0);
});

Deno.test("old jobs are removed by status and age, those that have not ended never", async () => {
  await using opened = await openJobs();
  await fail(opened, [1], "image_truncated");
  await opened.jobs.submit("face_detection", { media_store_id: 2 });
  await opened.recordOutcome(await opened.begin(), done);
  await opened.jobs.submit("face_detection", { media_store_id: 3 });
  opened.clock.now += 10 * DAY_MS;
  await fail(opened, [4], "image_truncated");
  opened.clock.now += 1;

  const { administration, jobs } = opened;
  assert.deepEqual(await administration.removeEnded(["error"], 5), { error: 1 });
  assert.deepEqual(await administration.removeEnded(REMOVABLE, 5), { completed: 1 });
  assert.deepEqual(await administration.removeEnded(REMOVABLE, 5), {});
  const left = (await jobs.list({}, 1, 20)).jobs.map(({ media_store_id }) => media_store_id);
  assert.deepEqual(left, [4, 3]);
  assert.deepEqual(await administration.removeEnded(REMOVABLE, 0), { error: 1 });
});

Deno.test("more jobs than fit into a step are removed, and retried, to the last", async () => {
  await using opened = await openJobs(2000);
  const ids = Array.from({ length: 450 }, (_, i) => i + 1);
  const submitted = ids.map((id) => opened.jobs.submit("face_detection", { media_store_id: id }));
  await Promise.all(submitted);
  await opened.attempts.failWaiting("face_detection", { code: "model_unavailable", detail: "so" });
  assert.equal(await opened.administration.retryFailed({}), 450);
  await opened.attempts.failWaiting("face_detection", { code: "model_unavailable", detail: "so" });
  opened.clock.now += 1;
  assert.deepEqual(await opened.administration.removeEnded(REMOVABLE, 0), { error: 450 });
});
