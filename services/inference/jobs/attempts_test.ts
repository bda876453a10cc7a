import assert from "node:assert/strict";
import { BYTES, done, failed, openJobs } from "../testing/open_jobs.ts";
import { MAX_ATTEMPTS } from "./attempts.ts";

Deno.test("a job goes from pending over processing to completed, and each step has its event", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const { job, isNew } = await jobs.submit("face_detection", { media_store_id: 7 });
  assert.equal(isNew, true);
  assert.equal(job.status, "pending");
  opened.clock.now += 10;
  const begun = await opened.begin();
  assert.equal((await jobs.get(job.job_id)).status, "processing");
  opened.clock.now += 90;
  await opened.recordOutcome(begun, done);

  const ended = await jobs.get(job.job_id);
  assert.equal(ended.status, "completed");
  assert.deepEqual(ended.result, done.result);
  assert.deepEqual(ended.timings_ms, { queue: 10, ...done.timingsMs, total: 100 });
  assert.equal(ended.model?.name, "ultraface-rfb-320");
  const events = await opened.events();
  assert.deepEqual(events.map(({ event }) => event), [
    "job_created",
    "job_started",
    "job_completed",
  ]);
  assert.equal(events[2]?.data.face_count, 0);
});

Deno.test("the end of a job has a message of its own under the job's topic, with the step's event_id", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 7 });
  await opened.recordOutcome(await opened.begin(), done);
  const row = await opened.db.selectFrom("outbox").selectAll()
    .where("topic", "=", `inference/job/${job.job_id}/completed`).executeTakeFirstOrThrow();
  assert.equal(row.retain, 1);
  const ended = JSON.parse(row.payload);
  assert.equal(ended.event, "job_completed");
  assert.equal(ended.event_id, (await opened.events()).at(-1)?.event_id);
});

Deno.test("the vector of an entity is stored as its point, the newest in place of the older", async () => {
  await using opened = await openJobs();
  const embed = async (first: number) => {
    await opened.jobs.submit("image_embedding", { media_store_id: 3, force: true });
    const embedding = [first, ...new Array<number>(511).fill(0)];
    await opened.recordOutcome(await opened.begin(), {
      ...done,
      result: {
        embedding,
        embedding_dimension: 512,
        stored_in_vector_db: true,
        collection: "image_embeddings",
        point_id: 3,
      },
    });
  };
  await embed(1);
  await embed(-1);
  const points = await opened.db.selectFrom("image_embedding").selectAll().execute();
  assert.deepEqual(points.map(({ point_id }) => point_id), [3]);
  assert.equal(new Float32Array(points[0]!.vector.slice().buffer)[0], -1);
  assert.equal(points[0]!.sha256, BYTES);
  assert.equal(points[0]!.space, opened.models.space("image_embedding"));
});

Deno.test("a failure that passes is tried again later, and ends the job after the last attempt", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const { job } = await jobs.submit("face_detection", { media_store_id: 1 });
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
    await opened.recordOutcome(await opened.begin(), failed("media_store_unreachable"));
    const waiting = await jobs.get(job.job_id);
    assert.deepEqual([waiting.status, waiting.attempt], ["pending", attempt]);
    assert.equal(waiting.error_code, "media_store_unreachable");
    assert.deepEqual((await opened.attempts.begin(1, true)).result, [], "begun before its time");
    await opened.untilDue();
  }
  await opened.recordOutcome(await opened.begin(), failed("media_store_unreachable"));
  const ended = await jobs.get(job.job_id);
  assert.deepEqual([ended.status, ended.attempt], ["error", MAX_ATTEMPTS]);
  const names = (await opened.events()).map(({ event }) => event);
  assert.equal(names.filter((name) => name === "job_retrying").length, MAX_ATTEMPTS - 1);
  assert.equal(names.at(-1), "job_failed");
});

Deno.test("a failure for good ends the job at once, with its code in the event", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  const ended = await opened.jobs.get(job.job_id);
  assert.deepEqual([ended.status, ended.error_code], ["error", "image_truncated"]);
  assert.equal((await opened.events()).at(-1)?.data.error_code, "image_truncated");
});

Deno.test("a job whose worker dies twice ends as poisoned", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("worker_lost"));
  await opened.untilDue();
  await opened.recordOutcome(await opened.begin(), failed("worker_lost"));
  assert.equal((await opened.jobs.get(job.job_id)).error_code, "poisoned");
});

Deno.test("what is under way at four ends of the service, the last time alone, is poisoned", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  for (let end = 1; end <= 4; end++) {
    assert.equal((await opened.jobs.get(job.job_id)).status, "pending");
    // What the service broke off is no attempt of the job.
    assert.equal((await opened.begin()).attempt, 1);
    await opened.reopen();
    await opened.attempts.recover();
  }
  const ended = await opened.jobs.get(job.job_id);
  assert.deepEqual([ended.status, ended.error_code], ["error", "poisoned"]);
  assert.match(ended.error_message!, /ended 4 times .* the last time on no other/);
});

Deno.test("what was under way at three ends is worked on alone, and the others after it", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const submit = (media_store_id: number) => jobs.submit("face_detection", { media_store_id });
  const began = async (isIdle: boolean) => {
    const { result, committed } = await opened.attempts.begin(2, isIdle);
    await committed;
    return result.map(({ media_store_id }) => media_store_id);
  };
  await submit(1);
  await submit(2);
  for (let end = 1; end <= 3; end++) {
    assert.deepEqual(await began(true), [1, 2]);
    await opened.reopen();
    await opened.attempts.recover();
  }
  await opened.jobs.submit("face_detection", { media_store_id: 3, priority: 10 });
  assert.deepEqual(await began(false), [], "begun beside another");
  assert.deepEqual(await began(true), [1]);
  assert.deepEqual(await began(false), [], "another was begun beside it");
  const row = (seq: number) =>
    opened.db.selectFrom("job").selectAll().where("seq", "=", seq).executeTakeFirstOrThrow();
  // Handed back, it is to be alone still.
  await opened.attempts.release(await row(1));
  assert.deepEqual(await began(true), [1]);
  await opened.recordOutcome(await row(1), done);
  assert.deepEqual(await began(true), [2]);
  await opened.recordOutcome(await row(2), done);
  assert.deepEqual(await began(false), [3]);
});

Deno.test("tries that failed for other reasons bring no job nearer to being poisoned", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
    await opened.recordOutcome(await opened.begin(), failed("media_store_error"));
    await opened.untilDue();
  }
  await opened.begin();
  await opened.reopen();
  await opened.attempts.recover();
  await opened.recordOutcome(await opened.begin(), done);
  assert.equal((await opened.jobs.get(job.job_id)).status, "completed");
});

Deno.test("jobs that wait for a model that can't be had are ended, those of other tasks go on", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const waiting = (await jobs.submit("image_embedding", { media_store_id: 1 })).job;
  const other = (await jobs.submit("face_detection", { media_store_id: 1 })).job;
  await opened.attempts.failWaiting("image_embedding", {
    code: "model_unavailable",
    detail: "no hub",
  });
  assert.equal((await jobs.get(waiting.job_id)).error_code, "model_unavailable");
  assert.equal((await jobs.get(other.job_id)).status, "pending");
});

Deno.test("an attempt that was broken off for no fault of the job does not count", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.attempts.release(await opened.begin());
  const waiting = await opened.jobs.get(job.job_id);
  assert.deepEqual([waiting.status, waiting.attempt, waiting.started_at], ["pending", 0, null]);
  assert.equal((await opened.begin()).attempt, 1);
});

Deno.test("what comes of a job too late is not written over its cancel, nor over a new job of its id", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const request = { media_store_id: 1, job_id: crypto.randomUUID() };
  await jobs.submit("face_detection", request);
  const first = await opened.begin();
  await jobs.remove(first.job_id);
  assert.deepEqual(opened.cancelled, [first.seq]);
  assert.equal(await opened.recordOutcome(first, failed("media_store_unreachable")), undefined);
  assert.equal((await jobs.get(first.job_id)).status, "cancelled");

  await jobs.remove(first.job_id);
  await jobs.submit("face_detection", request);
  await opened.begin();
  assert.equal(await opened.recordOutcome(first, done), undefined);
  assert.equal((await jobs.get(first.job_id)).status, "processing");
});
