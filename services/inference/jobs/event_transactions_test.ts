import { openSqlite } from "@fovea/storage/sqlite";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openJobs, refusal } from "../testing/open_jobs.ts";
import { EventTransactions } from "./event_transactions.ts";
import { MIGRATIONS, type Tables } from "../database/tables.ts";

async function openTransactions() {
  await using cleanup = new AsyncDisposableStack();
  const { path } = cleanup.use(await temporaryFolder());
  const file = `${path}/jobs.sqlite`;
  const db = cleanup.use(await openSqlite<Tables>(file, MIGRATIONS));
  let changes = 0;
  const transactions = new EventTransactions({
    db,
    now: () => 0,
    runningMs: () => 0,
    newId: () => crypto.randomUUID(),
    onCommit: () => void changes++,
  });
  const owned = cleanup.move();
  return {
    file,
    transactions,
    changes: () => changes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const job = (media_store_id: number) => ({
  job_id: crypto.randomUUID(),
  task_type: "face_detection" as const,
  media_store_id,
  priority: 5,
  force: 0,
  options: "{}",
  model_name: null,
  created_at: 0,
});

Deno.test("changes that come together are committed together, and each has its own answer", async () => {
  await using opened = await openTransactions();
  const { transactions } = opened;
  const rows = await Promise.all([1, 2, 3].map((id) =>
    transactions.run(async ({ jobs, emit }) => {
      const row = await jobs.insert(job(id));
      emit("job_created", row);
      return row;
    })
  ));
  assert.deepEqual(rows.map(({ seq }) => seq), [1, 2, 3]);
  assert.equal(opened.changes(), 1);
});

Deno.test("a change that fails leaves nothing of its own, and takes nothing of the others with it", async () => {
  await using opened = await openTransactions();
  const { transactions } = opened;
  const insert = (id: number) => transactions.run(({ jobs }) => jobs.insert(job(id)));
  const broken = transactions.run(async ({ jobs }) => {
    await jobs.insert(job(2));
    throw new Error("out of luck");
  });
  const [first, failure, third] = await Promise.allSettled([insert(1), broken, insert(3)]);
  assert.deepEqual([first.status, failure.status, third.status], [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  const left = await transactions.run(({ jobs }) => jobs.list({}, 1, 20));
  assert.deepEqual(left.jobs.map(({ media_store_id }) => media_store_id), [3, 1]);
});

Deno.test("an uncommitted change is known of before it is written, and rolled back with those beside it", async () => {
  await using opened = await openTransactions();
  const { transactions } = opened;
  const runUncommitted = (id: number) =>
    transactions.runUncommitted(({ jobs }) => jobs.insert(job(id)));
  let isCommitted = false;
  const first = await runUncommitted(1);
  first.committed.then(() => isCommitted = true);
  assert.deepEqual([first.result.media_store_id, isCommitted], [1, false]);
  await first.committed;

  const beginning = runUncommitted(2);
  const beside = transactions.run(() => Promise.reject(new Error("out of luck")));
  const [second] = await Promise.all([beginning, assert.rejects(beside, /out of luck/)]);
  assert.equal(second.result.media_store_id, 2);
  await assert.rejects(second.committed, /out of luck/);
  const left = await transactions.run(({ jobs }) => jobs.list({}, 1, 20));
  assert.deepEqual(left.jobs.map(({ media_store_id }) => media_store_id), [1]);
});

Deno.test("an uncommitted change that fails by itself says so", async () => {
  await using opened = await openTransactions();
  const broken = opened.transactions.runUncommitted(() => Promise.reject(new Error("out of luck")));
  await assert.rejects(broken, /out of luck/);
});

Deno.test("while another program has locked the database, steps say so, and afterwards go on", async () => {
  await using opened = await openTransactions();
  const other = new DatabaseSync(opened.file);
  other.exec("BEGIN IMMEDIATE");
  const insert = () => opened.transactions.run(({ jobs }) => jobs.insert(job(1)));
  const problem = await refusal(insert());
  assert.equal(problem.code, "not_ready");
  assert.match(problem.message, /another program has locked it/);
  other.exec("ROLLBACK");
  other.close();
  assert.equal((await insert()).media_store_id, 1);
});

Deno.test("a job that is not taken leaves no event behind", async () => {
  await using opened = await openJobs(1);
  await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await refusal(opened.jobs.submit("face_detection", { media_store_id: 2 }));
  assert.equal((await opened.events()).length, 1);
});
