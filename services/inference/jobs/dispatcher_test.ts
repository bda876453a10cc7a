import { until } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openJobs, silent } from "../testing/open_jobs.ts";
import { type PoolOptions, WorkerPool } from "../workers/pool.ts";
import { MediaStoreOutage } from "../media_store_outage.ts";
import { Dispatcher } from "./dispatcher.ts";

/** What the worker does with an entity; see testing/misbehaving_worker.ts. */
const DONE = 1, DEADLY = 3, WAITS = 5, SLOW = 8;

/** Jobs on real workers and in real time. */
async function openDispatcher(options: Partial<PoolOptions> = {}) {
  const opened = await openJobs();
  Object.defineProperty(opened.clock, "now", { get: Date.now });
  const pool = new WorkerPool({
    size: 2,
    settings: {
      source: { url: "", maxBytes: 1 },
      maxPixels: 1,
      backend: "wasm",
      shrinkWhileDecoding: true,
    },
    towers: null,
    deadlineMs: 60_000,
    idleMs: 60_000,
    log: silent,
    onFree: () => dispatcher.wake(),
    script: new URL("../testing/misbehaving_worker.ts", import.meta.url),
    ...options,
  });
  const { attempts, models } = opened;
  const outage = new MediaStoreOutage({
    probe: () => Promise.resolve(),
    onEnd: () => dispatcher.wake(),
    random: Math.random,
    log: silent,
  });
  const dispatcher = new Dispatcher({ attempts, pool, models, outage, now: Date.now, log: silent });
  await pool.load("face_detection", { name: "none", sha256: "", path: "" });
  const submit = async (media_store_id: number) => {
    const request = { media_store_id, force: true };
    const { job } = await opened.jobs.submit("face_detection", request);
    dispatcher.wake();
    return job.job_id;
  };
  const jobThatIs = (status: string, id: string) =>
    until(`job ${id} that is ${status}`, async () => {
      const job = await opened.jobs.get(id);
      return job.status === status ? job : undefined;
    });
  return {
    opened,
    dispatcher,
    pool,
    submit,
    jobThatIs,
    [Symbol.asyncDispose]: async () => {
      pool.close();
      await dispatcher.stop(0);
      await opened[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a cancelled job frees its worker for the next one", async () => {
  await using open = await openDispatcher({ size: 1 });
  const { opened, dispatcher, submit, jobThatIs } = open;
  const waiting = await submit(WAITS);
  await jobThatIs("processing", waiting);
  await opened.jobs.remove(waiting);
  for (const seq of opened.cancelled) dispatcher.cancel(seq);
  await jobThatIs("completed", await submit(DONE));
  assert.equal((await opened.jobs.get(waiting)).status, "cancelled");
});

Deno.test("a job whose worker dies twice ends as poisoned, and those beside it are served", async () => {
  await using open = await openDispatcher();
  const deadly = await open.submit(DEADLY);
  for (let i = 0; i < 5; i++) await open.jobThatIs("completed", await open.submit(DONE));
  const ended = await open.jobThatIs("error", deadly);
  assert.deepEqual([ended.error_code, ended.attempt], ["poisoned", 2]);
  assert.match(ended.error_message!, /2 workers died of this job.*out of luck/);
});

Deno.test("a dispatcher that stops begins nothing more, waits, and hands back what does not end", async () => {
  await using open = await openDispatcher({ size: 1 });
  const { opened, dispatcher, submit, jobThatIs } = open;
  const running = await submit(WAITS);
  const pending = await submit(DONE);
  await jobThatIs("processing", running);
  await dispatcher.stop(50);
  for (const id of [running, pending]) {
    const job = await opened.jobs.get(id);
    assert.deepEqual([job.status, job.attempt], ["pending", 0]);
  }
  assert.equal((await opened.events()).at(-1)?.event, "job_retrying");
});

Deno.test("what is being begun when a dispatcher is told to stop is not worked on after it has stopped", async () => {
  await using open = await openDispatcher({ size: 1 });
  const { opened, dispatcher, pool } = open;
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: WAITS });
  dispatcher.wake();
  // The transaction that begins it is open by now, and not written.
  await dispatcher.stop(5000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(pool.state.busy, 0);
  const waiting = await opened.jobs.get(job.job_id);
  assert.deepEqual([waiting.status, waiting.attempt], ["pending", 0]);
});

Deno.test("the canary has its turn after the jobs, and is in no list and no event", async () => {
  await using open = await openDispatcher({ size: 1, canaryIntervalMs: 1 });
  const { opened, pool, submit, jobThatIs } = open;
  const ids = [await submit(DONE), await submit(DONE), await submit(6)];
  for (const id of ids) await jobThatIs("completed", id);
  // The last job has the worker answer its canary wrongly: so one was shown.
  await until("a worker that answered its canary wrongly", () => pool.state.restarts.canary > 0);
  assert.equal((await opened.jobs.list({}, 1, 20)).total, 3);
  assert.equal((await opened.events()).length, 9);
});

Deno.test("a job of which it can't be written that it was begun is begun again, as if it had not been", async () => {
  await using open = await openDispatcher({ size: 1 });
  const { opened, submit, jobThatIs } = open;
  // Fails at the end of the transaction, by when the job has been given to the worker.
  await sql`
    CREATE TRIGGER refuse BEFORE INSERT ON outbox WHEN NEW.payload LIKE '%job_started%'
    BEGIN SELECT RAISE(ABORT, 'out of luck'); END`.execute(opened.db);
  const id = await submit(DONE);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const waiting = await opened.jobs.get(id);
  assert.deepEqual([waiting.status, waiting.attempt], ["pending", 0]);
  await sql`DROP TRIGGER refuse`.execute(opened.db);
  assert.equal((await jobThatIs("completed", id)).attempt, 1);
  assert.deepEqual((await opened.events()).map(({ event }) => event), [
    "job_created",
    "job_started",
    "job_completed",
  ]);
});

Deno.test("an outcome that can't be written while the database is locked is written afterwards", async () => {
  await using open = await openDispatcher({ size: 1 });
  const { opened, submit, jobThatIs } = open;
  const slow = await submit(SLOW);
  await jobThatIs("processing", slow);
  const other = new DatabaseSync(opened.path);
  other.exec("BEGIN IMMEDIATE");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  other.exec("ROLLBACK");
  other.close();
  await jobThatIs("completed", slow);
});
