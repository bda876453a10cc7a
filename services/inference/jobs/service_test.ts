import { type FaceDetectionResult, Problem, type ProblemCode } from "@fovea/contract";
import assert from "node:assert/strict";
import { openJobs } from "../testing/open_jobs.ts";
import type { Outcome } from "../workers/messages.ts";
import { MAX_ATTEMPTS } from "./service.ts";
import type { JobRow } from "./tables.ts";

const TIMES = { fetch: 1, decode: 2, infer: 3 };
const NO_FACES: FaceDetectionResult = {
  faces: [],
  face_count: 0,
  image_width: 8,
  image_height: 8,
};
const done: Outcome = { ok: true, result: NO_FACES, times: TIMES };
const failed = (code: ProblemCode): Outcome => ({ ok: false, code, detail: "so", times: TIMES });

type Opened = Awaited<ReturnType<typeof openJobs>>;

async function begin({ jobs }: Opened): Promise<JobRow> {
  const job = await jobs.begin();
  assert.ok(job !== undefined, "there is no job to begin");
  return job;
}

const settle = ({ jobs, models }: Opened, job: JobRow, outcome: Outcome) =>
  jobs.settle(job, outcome, models.used(job.task_type));

async function refusal(work: Promise<unknown>): Promise<Problem> {
  const problem = await work.then(() => undefined, (error) => error);
  assert.ok(problem instanceof Problem, `expected a refusal, got ${problem}`);
  return problem;
}

Deno.test("a job goes from pending over processing to completed, and each step has its event", async () => {
  await using opened = await openJobs();
  const { jobs, clock } = opened;
  const { job, isNew } = await jobs.submit("face_detection", { media_store_id: 7 });
  assert.equal(isNew, true);
  assert.equal(job.status, "pending");
  clock.now += 10;
  const begun = await begin(opened);
  assert.equal((await jobs.get(job.job_id)).status, "processing");
  clock.now += 90;
  await settle(opened, begun, done);

  const ended = await jobs.get(job.job_id);
  assert.equal(ended.status, "completed");
  assert.deepEqual(ended.result, NO_FACES);
  assert.deepEqual(ended.timings_ms, { queue: 10, ...TIMES, total: 100 });
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
  await settle(opened, await begin(opened), done);
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
    await settle(opened, await begin(opened), {
      ok: true,
      times: TIMES,
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
});

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

Deno.test("a job that is there already is named, unless another one is forced", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const { job } = await jobs.submit("face_detection", { media_store_id: 1 });
  const problem = await refusal(jobs.submit("face_detection", { media_store_id: 1 }));
  assert.equal(problem.code, "job_exists");
  assert.deepEqual(problem.members, { job_id: job.job_id, job_status: "pending" });
  const forced = await jobs.submit("face_detection", { media_store_id: 1, force: true });
  assert.notEqual(forced.job.job_id, job.job_id);
  const other = await jobs.submit("image_embedding", { media_store_id: 1 });
  assert.equal(other.isNew, true);
  const asked = { media_store_id: 1, max_faces: 3, min_confidence: 0.9 };
  assert.equal((await jobs.submit("face_detection", asked)).isNew, true);
  const again = { min_confidence: 0.9, max_faces: 3, media_store_id: 1 };
  assert.equal((await refusal(jobs.submit("face_detection", again))).code, "job_exists");
});

Deno.test("a job that ended in error does not stand in the way of a new one", async () => {
  await using opened = await openJobs();
  await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await settle(opened, await begin(opened), failed("image_unreadable"));
  assert.equal((await opened.jobs.submit("face_detection", { media_store_id: 1 })).isNew, true);
});

Deno.test("jobs are begun by priority, then by age", async () => {
  await using opened = await openJobs();
  for (const [media_store_id, priority] of [[1, 5], [2, 0], [3, 10], [4, 5]] as const) {
    await opened.jobs.submit("face_detection", { media_store_id, priority });
  }
  const order = [];
  for (let i = 0; i < 4; i++) order.push((await begin(opened)).media_store_id);
  assert.deepEqual(order, [3, 1, 4, 2]);
  assert.equal(await opened.jobs.begin(), undefined);
});

Deno.test("a failure that passes is tried again later, and ends the job after the last attempt", async () => {
  await using opened = await openJobs();
  const { jobs, clock } = opened;
  const { job } = await jobs.submit("face_detection", { media_store_id: 1 });
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
    await settle(opened, await begin(opened), failed("media_store_unreachable"));
    const waiting = await jobs.get(job.job_id);
    assert.deepEqual([waiting.status, waiting.attempt], ["pending", attempt]);
    assert.equal(waiting.error_code, "media_store_unreachable");
    assert.equal(await jobs.begin(), undefined, "begun before its time");
    clock.now = await jobs.nextDue() ?? 0;
  }
  await settle(opened, await begin(opened), failed("media_store_unreachable"));
  const ended = await jobs.get(job.job_id);
  assert.deepEqual([ended.status, ended.attempt], ["error", MAX_ATTEMPTS]);
  const names = (await opened.events()).map(({ event }) => event);
  assert.equal(names.filter((name) => name === "job_retrying").length, MAX_ATTEMPTS - 1);
  assert.equal(names.at(-1), "job_failed");
});

Deno.test("a failure for good ends the job at once, with its code in the event", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await settle(opened, await begin(opened), failed("image_truncated"));
  const ended = await opened.jobs.get(job.job_id);
  assert.deepEqual([ended.status, ended.error_code], ["error", "image_truncated"]);
  assert.equal((await opened.events()).at(-1)?.data.error_code, "image_truncated");
});

Deno.test("a job whose worker dies twice ends as poisoned", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await settle(opened, await begin(opened), failed("worker_lost"));
  opened.clock.now = await opened.jobs.nextDue() ?? 0;
  await settle(opened, await begin(opened), failed("worker_lost"));
  assert.equal((await opened.jobs.get(job.job_id)).error_code, "poisoned");
});

Deno.test("removing cancels a pending job, drops the outcome of a running one, forgets an ended one", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const pending = (await jobs.submit("face_detection", { media_store_id: 1 })).job;
  await jobs.remove(pending.job_id);
  assert.equal((await jobs.get(pending.job_id)).status, "cancelled");
  assert.equal(await jobs.begin(), undefined);

  const running = (await jobs.submit("face_detection", { media_store_id: 2 })).job;
  const begun = await begin(opened);
  await jobs.remove(running.job_id);
  assert.equal(await settle(opened, begun, done), undefined);
  const cancelled = await jobs.get(running.job_id);
  assert.deepEqual([cancelled.status, cancelled.result], ["cancelled", null]);

  await jobs.remove(running.job_id);
  assert.equal((await refusal(jobs.get(running.job_id))).code, "job_not_found");
  assert.equal((await refusal(jobs.remove(running.job_id))).code, "job_not_found");
  const names = (await opened.events()).map(({ event }) => event);
  assert.equal(names.filter((name) => name === "job_cancelled").length, 2);
});

Deno.test("who waits for a job is told when it is cancelled", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.jobs.remove(job.job_id);
  const row = await opened.db.selectFrom("outbox").selectAll()
    .where("topic", "=", `inference/job/${job.job_id}/completed`).executeTakeFirstOrThrow();
  const { event, status, error_code } = JSON.parse(row.payload);
  assert.deepEqual([event, status, error_code], ["job_failed", "cancelled", "cancelled"]);
});

Deno.test("after a restart what was begun is begun again, but not for ever", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    assert.equal((await begin(opened)).attempt, attempt);
    const restarted = await opened.reopen();
    await restarted.recover();
    opened.jobs = restarted;
  }
  const ended = await opened.jobs.get(job.job_id);
  assert.deepEqual([ended.status, ended.error_code], ["error", "poisoned"]);
});

Deno.test("jobs that wait for a model that can't be had are ended, those of other tasks go on", async () => {
  await using opened = await openJobs();
  const { jobs } = opened;
  const waiting = (await jobs.submit("image_embedding", { media_store_id: 1 })).job;
  const other = (await jobs.submit("face_detection", { media_store_id: 1 })).job;
  await jobs.failWaiting("image_embedding", { code: "model_unavailable", detail: "no hub" });
  assert.equal((await jobs.get(waiting.job_id)).error_code, "model_unavailable");
  assert.equal((await jobs.get(other.job_id)).status, "pending");
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
