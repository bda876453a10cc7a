import assert from "node:assert/strict";
import { BYTES, done, failed, openJobs, refusal } from "../testing/open_jobs.ts";

Deno.test("the same job_id with the same body is the same job, with another body it is refused", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const job_id = crypto.randomUUID();
  const first = await jobs.submit("face_detection", { media_store_id: 1, job_id });
  const again = await jobs.submit("face_detection", {
    media_store_id: 1,
    job_id: job_id.toUpperCase(),
    priority: 5,
  });
  assert.deepEqual(again, { job: first.job, isNew: false });
  const problem = await refusal(jobs.submit("face_detection", { media_store_id: 2, job_id }));
  assert.equal(problem.code, "job_id_taken");
  assert.equal((await opened.events()).length, 1);
});

Deno.test("a client that asks the same again gets the same job, unless it forces another one", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const { job } = await jobs.submit("face_detection", { media_store_id: 1 });
  const same = await jobs.submit("face_detection", { media_store_id: 1 });
  assert.deepEqual(same, { job, isNew: false });
  const forced = await jobs.submit("face_detection", { media_store_id: 1, force: true });
  assert.notEqual(forced.job.job_id, job.job_id);
  const other = await jobs.submit("image_embedding", { media_store_id: 1 });
  assert.equal(other.isNew, true);
  const asked = { media_store_id: 1, max_faces: 3, min_confidence: 0.9 };
  assert.equal((await jobs.submit("face_detection", asked)).isNew, true);
  const again = { min_confidence: 0.9, max_faces: 3, media_store_id: 1 };
  assert.equal((await jobs.submit("face_detection", again)).isNew, false);
});

Deno.test("a client that asks the same with a higher priority raises that of the job that waits", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const request = { media_store_id: 1, job_id: crypto.randomUUID() };
  await jobs.submit("face_detection", request);
  await jobs.submit("face_detection", { media_store_id: 2, priority: 7 });
  const ask = async (priority: number) =>
    (await jobs.submit("face_detection", { media_store_id: 1, priority })).job.priority;
  assert.deepEqual([await ask(4), await ask(8), await ask(6)], [5, 8, 8]);
  // Sent again as it was, it is the same body.
  assert.equal((await jobs.submit("face_detection", request)).isNew, false);
  assert.equal((await opened.begin()).media_store_id, 1);
});

const NEW_BYTES = "b".repeat(64);

Deno.test("a result answers for the bytes that were looked at, and for no others", async () => {
  await using opened = await openJobs();
  const { jobs, digests } = opened;
  const submit = () => jobs.submit("face_detection", { media_store_id: 1 });
  const first = (await submit()).job;
  assert.equal(first.sha256, null);
  await opened.recordOutcome(await opened.begin(), done);
  const same = await submit();
  assert.deepEqual([same.isNew, same.job.job_id, same.job.sha256], [false, first.job_id, BYTES]);

  digests.set(1, NEW_BYTES);
  const second = await submit();
  assert.equal(second.isNew, true);
  await opened.recordOutcome(await opened.begin(), { ...done, sha256: NEW_BYTES });
  assert.equal((await submit()).job.job_id, second.job.job_id);
  digests.set(1, BYTES);
  assert.equal((await submit()).job.job_id, first.job_id);
  digests.set(1, null);
  assert.equal((await submit()).isNew, true, "taken though nobody knows what the bytes are");
});

Deno.test("a result of another space, or of bytes that nobody noted, answers nothing", async () => {
  await using opened = await openJobs();
  const { jobs, db } = opened;
  for (
    const [media_store_id, unlike] of [[1, { space: "older 1 fp32" }], [2, {
      sha256: null,
    }]] as const
  ) {
    const { job } = await jobs.submit("face_detection", { media_store_id });
    await opened.recordOutcome(await opened.begin(), done);
    await db.updateTable("job").set(unlike).where("job_id", "=", job.job_id).execute();
    assert.equal((await jobs.submit("face_detection", { media_store_id })).isNew, true);
    await opened.recordOutcome(await opened.begin(), done);
    assert.equal((await jobs.submit("face_detection", { media_store_id })).isNew, false);
  }
});

Deno.test("a job that was asked for again while it looked at bytes that are gone looks once more", async () => {
  await using opened = await openJobs();
  const { jobs, digests } = opened;
  const submit = () => jobs.submit("face_detection", { media_store_id: 1 });
  for (const outdated of [done, { ...failed("image_unreadable"), sha256: BYTES }]) {
    digests.set(1, BYTES);
    const { job } = await jobs.submit("face_detection", { media_store_id: 1, force: true });
    const begun = await opened.begin();
    digests.set(1, NEW_BYTES);
    const same = await submit();
    assert.deepEqual([same.isNew, same.job.job_id], [false, job.job_id]);
    await opened.recordOutcome(begun, outdated);
    assert.equal((await jobs.get(job.job_id)).status, "pending");
    const again = await opened.begin();
    assert.equal(again.attempt, 1);
    // Whatever it finds now is at least as new as the wish.
    await opened.recordOutcome(again, { ...done, sha256: "c".repeat(64) });
    assert.deepEqual((await jobs.get(job.job_id)).sha256, "c".repeat(64));
  }
});

Deno.test("a job that is asked for before its model is chosen, and again afterwards, is taken once", async () => {
  await using opened = await openJobs(1000, () => {}, []);
  const { jobs, models } = opened;
  const ask = () => jobs.submit("face_detection", { media_store_id: 1 });
  assert.equal(models.space("face_detection"), null);
  const { job: { job_id }, isNew } = await ask();
  assert.equal(isNew, true);

  await models.prepare("face_detection");
  assert.notEqual(models.space("face_detection"), null);
  const waiting = await ask();
  assert.deepEqual([waiting.isNew, waiting.job.job_id], [false, job_id]);
  const begun = await opened.begin();
  const running = await ask();
  assert.deepEqual([running.isNew, running.job.job_id], [false, job_id]);
  await opened.recordOutcome(begun, done);
  const completed = await ask();
  assert.deepEqual([completed.isNew, completed.job.job_id], [false, job_id]);
  assert.equal((await jobs.list({}, 1, 20)).total, 1);
});

Deno.test("the end of a job is published again when a client asks the same, with the same event_id", async () => {
  await using opened = await openJobs();
  const { jobs, db, clock } = opened;
  const request = { media_store_id: 1, job_id: crypto.randomUUID() };
  await jobs.submit("face_detection", request);
  await opened.recordOutcome(await opened.begin(), done);
  const topic = `inference/job/${request.job_id}/completed`;
  const published = () => db.selectFrom("outbox").selectAll().where("topic", "=", topic).execute();
  const [first] = await published();
  await db.updateTable("instance").set({ sent_through: first!.seq }).execute();
  // An end stays an end, though media_store has not taken the result yet.
  await db.updateTable("job").set({ status: "sync_failed", error_code: "media_store_error" })
    .execute();
  for (const same of [{ media_store_id: 1 }, request]) {
    clock.now += 1000;
    assert.equal((await jobs.submit("face_detection", same)).isNew, false);
    const last = (await published()).at(-1)!;
    assert.deepEqual(
      [last.payload, last.retain, last.kept_from],
      [first!.payload, 1, clock.now],
    );
  }
  assert.equal((await published()).some(({ seq }) => seq === first!.seq), false);
  assert.equal((await opened.events()).length, 3, "published to those who did not ask");
});

Deno.test("a job_id in capitals stays as it was given, wherever it shows, and is found in any case", async () => {
  await using opened = await openJobs();
  const { jobs, db } = opened;
  const job_id = crypto.randomUUID().toUpperCase();
  const { job } = await jobs.submit("face_detection", { media_store_id: 1, job_id });
  await opened.recordOutcome(await opened.begin(), done);
  assert.equal((await jobs.get(job_id.toLowerCase())).job_id, job_id);
  const topics = await db.selectFrom("outbox").select("topic").where("retain", "=", 1).execute();
  assert.deepEqual(topics.map(({ topic }) => topic), [`inference/job/${job_id}/completed`]);
  const emitted = (await opened.events()).map(({ data }) => data.job_id);
  assert.deepEqual([...emitted, job.job_id], Array(4).fill(job_id));
  assert.equal((await db.selectFrom("delivery").selectAll().execute())[0]?.job_id, job_id);
  const other = { media_store_id: 2, job_id: job_id.toLowerCase() };
  assert.equal((await refusal(jobs.submit("face_detection", other))).code, "job_id_taken");
  await jobs.remove(job_id.toLowerCase());
  assert.equal((await refusal(jobs.get(job_id))).code, "job_not_found");
});

Deno.test("a job that ended in error does not stand in the way of a new one", async () => {
  await using opened = await openJobs();
  await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("image_unreadable"));
  assert.equal((await opened.jobs.submit("face_detection", { media_store_id: 1 })).isNew, true);
});

Deno.test("removing cancels a pending job, drops the outcome of a running one, forgets an ended one", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const pending = (await jobs.submit("face_detection", { media_store_id: 1 })).job;
  await jobs.remove(pending.job_id);
  assert.equal((await jobs.get(pending.job_id)).status, "cancelled");
  assert.deepEqual((await opened.attempts.begin(1, true)).result, []);

  const running = (await jobs.submit("face_detection", { media_store_id: 2 })).job;
  const begun = await opened.begin();
  await jobs.remove(running.job_id);
  assert.equal(await opened.recordOutcome(begun, done), undefined);
  const cancelled = await jobs.get(running.job_id);
  assert.deepEqual([cancelled.status, cancelled.result], ["cancelled", null]);

  await jobs.remove(running.job_id);
  assert.equal((await refusal(jobs.get(running.job_id))).code, "job_not_found");
  assert.equal((await refusal(jobs.remove(running.job_id))).code, "job_not_found");
  const names = (await opened.events()).map(({ event }) => event);
  assert.equal(names.filter((name) => name === "job_cancelled").length, 2);
});

Deno.test("a client that waits for a job hears when it is cancelled", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.jobs.remove(job.job_id);
  const row = await opened.db.selectFrom("outbox").selectAll()
    .where("topic", "=", `inference/job/${job.job_id}/completed`).executeTakeFirstOrThrow();
  const { event, status, error_code } = JSON.parse(row.payload);
  assert.deepEqual([event, status, error_code], ["job_failed", "cancelled", "cancelled"]);
});

Deno.test("jobs are listed newest first, narrowed and in pages", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  for (let id = 1; id <= 5; id++) await jobs.submit("face_detection", { media_store_id: id });
  await jobs.submit("image_embedding", { media_store_id: 5 });
  const ids = ({ jobs }: { jobs: { media_store_id: number }[] }) =>
    jobs.map(({ media_store_id }) => media_store_id);
  const faces = { task_type: "face_detection" } as const;
  assert.deepEqual(ids(await jobs.list(faces, 1, 2)), [5, 4]);
  assert.deepEqual(ids(await jobs.list(faces, 3, 2)), [1]);
  assert.equal((await jobs.list(faces, 1, 2)).total, 5);
  assert.equal((await jobs.list({ media_store_id: 5 }, 1, 20)).total, 2);
  assert.equal((await jobs.list({ status: "completed" }, 1, 20)).total, 0);
});

Deno.test("a job that pauses before its next attempt can be cancelled", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("media_store_unreachable"));
  await opened.jobs.remove(job.job_id);
  assert.equal((await opened.jobs.get(job.job_id)).status, "cancelled");
  assert.equal(await opened.attempts.admitDue(), undefined);
  assert.deepEqual((await opened.attempts.begin(1, true)).result, []);
});

Deno.test("a job that ended in error is retried as if it were new, any other is not", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const { job } = await jobs.submit("face_detection", { media_store_id: 1 });
  const pending = await refusal(jobs.retry(job.job_id));
  assert.equal(pending.code, "job_not_failed");
  assert.deepEqual(pending.members, { job_id: job.job_id, job_status: "pending" });

  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  opened.clock.now += 1000;
  const again = await jobs.retry(job.job_id);
  assert.deepEqual(
    [again.status, again.attempt, again.error_code, again.completed_at],
    ["pending", 0, null, null],
  );
  await opened.recordOutcome(await opened.begin(), done);
  assert.equal((await jobs.get(job.job_id)).status, "completed");
  assert.equal((await refusal(jobs.retry(job.job_id))).code, "job_not_failed");
  const names = (await opened.events()).map(({ event }) => event);
  assert.deepEqual(names.slice(2), ["job_failed", "job_retrying", "job_started", "job_completed"]);
  assert.equal((await refusal(jobs.retry(crypto.randomUUID()))).code, "job_not_found");
});

Deno.test("a full queue takes no more jobs, but still knows those it has", async () => {
  await using opened = await openJobs(2);
  const { jobs } = opened;
  const request = { media_store_id: 1, job_id: crypto.randomUUID() };
  await jobs.submit("face_detection", request);
  await jobs.submit("face_detection", { media_store_id: 2 });
  const full = await refusal(jobs.submit("face_detection", { media_store_id: 3 }));
  assert.equal(full.code, "queue_full");
  assert.deepEqual(full.members, { queue_depth: 2, queue_limit: 2, retry_after_s: 10 });
  assert.equal((await jobs.submit("face_detection", request)).isNew, false);
  assert.equal((await jobs.submit("face_detection", { media_store_id: 2 })).isNew, false);

  await opened.reopen();
  const still = await refusal(opened.jobs.submit("face_detection", { media_store_id: 3 }));
  assert.equal(still.code, "queue_full");
  await opened.begin();
  assert.equal((await opened.jobs.submit("face_detection", { media_store_id: 3 })).isNew, true);
});

Deno.test("a client that meets a full queue learns when, at its pace, there is room", async () => {
  await using opened = await openJobs(300);
  const { jobs, clock } = opened;
  const submit = (id: number) => jobs.submit("face_detection", { media_store_id: id });
  for (let id = 1; id <= 6; id++) await submit(id);
  for (let id = 1; id <= 6; id++) {
    await opened.recordOutcome(await opened.begin(), done);
    clock.now += 10_000;
  }
  await Promise.all(Array.from({ length: 300 }, (_, i) => submit(100 + i)));
  // Five ended in the last minute: for the hundredth part of the queue, three jobs, that is 36 s.
  assert.equal((await refusal(submit(1000))).members.retry_after_s, 36);
});

Deno.test("of jobs that come together each has its own answer", async () => {
  await using opened = await openJobs(3);
  const submit = (id: number) =>
    opened.jobs.submit("face_detection", { media_store_id: id }).then(
      ({ isNew }) => isNew ? "taken" : "there",
      ({ code }) => code,
    );
  const answers = await Promise.all([1, 2, 2, 3, 4, 1].map(submit));
  assert.deepEqual(answers, ["taken", "taken", "there", "taken", "queue_full", "there"]);
  assert.equal((await opened.events()).length, 3);
});
