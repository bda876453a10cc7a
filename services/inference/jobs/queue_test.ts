import assert from "node:assert/strict";
import { done, failed, openJobs } from "../testing/open_jobs.ts";
import { MAX_WAIT_MS } from "./queue.ts";

Deno.test("jobs are begun by priority, then by age", async () => {
  await using opened = await openJobs();
  for (const [media_store_id, priority] of [[1, 5], [2, 0], [3, 10], [4, 5]] as const) {
    await opened.jobs.submit("face_detection", { media_store_id, priority });
  }
  const order = [];
  for (let i = 0; i < 4; i++) order.push((await opened.begin()).media_store_id);
  assert.deepEqual(order, [3, 1, 4, 2]);
  assert.deepEqual((await opened.attempts.begin(1, true)).result, []);
});

Deno.test("a job that has waited too long has every second turn, whatever the priority of others", async () => {
  await using opened = await openJobs();
  const submit = (media_store_id: number, priority: number) =>
    opened.jobs.submit("face_detection", { media_store_id, priority });
  await submit(1, 0);
  opened.clock.now += 1;
  await submit(2, 0);
  opened.clock.now += MAX_WAIT_MS;
  for (const id of [3, 4, 5]) await submit(id, 10);
  const order = [];
  for (let i = 0; i < 5; i++) order.push((await opened.begin()).media_store_id);
  assert.deepEqual(order, [1, 3, 2, 4, 5]);
});

Deno.test("one that has not waited too long leaves those of higher priority their turn", async () => {
  await using opened = await openJobs();
  await opened.jobs.submit("face_detection", { media_store_id: 1, priority: 0 });
  opened.clock.now += MAX_WAIT_MS - 1;
  await opened.jobs.submit("image_embedding", { media_store_id: 2, priority: 1 });
  assert.equal((await opened.begin()).media_store_id, 2);
});

Deno.test("a clock that is set back or forward keeps no job from its turn", async () => {
  const DAY_MS = 24 * 60 * 60_000;
  for (const jump of [-DAY_MS, DAY_MS]) {
    await using opened = await openJobs();
    const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
    const waiting = (await opened.jobs.submit("face_detection", { media_store_id: 2 })).job;
    const first = await opened.begin();
    assert.equal(first.job_id, job.job_id);
    await opened.recordOutcome(first, failed("media_store_unreachable"));

    opened.clock.now += jump;
    await opened.attempts.admitDue();
    const begun = [await opened.begin(), await opened.begin()].map(({ job_id }) => job_id);
    assert.deepEqual(begun.sort(), [job.job_id, waiting.job_id].sort());
    const { queue } = await opened.administration.stats();
    assert.equal(queue.depth, 0);
  }
});

Deno.test("times of a job never run backwards, even where the clock does", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  opened.clock.now -= 60_000;
  await opened.recordOutcome(await opened.begin(), done);
  const { timings_ms } = await opened.jobs.get(job.job_id);
  assert.deepEqual([timings_ms?.queue, timings_ms?.total], [0, 0]);
});

Deno.test("jobs that pause hold up nobody, and their number is known", async () => {
  await using opened = await openJobs();
  for (const id of [1, 2]) await opened.jobs.submit("face_detection", { media_store_id: id });
  await opened.recordOutcome(await opened.begin(), failed("media_store_unreachable"));
  assert.equal((await opened.begin()).media_store_id, 2);
  assert.deepEqual((await opened.attempts.begin(1, true)).result, []);
  assert.equal((await opened.administration.stats()).queue.depth, 1);
});
