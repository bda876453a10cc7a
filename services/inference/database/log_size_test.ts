import { asJson, startService, temporaryFolder, until } from "@fovea/testing";
import { BARE, untilReady } from "@fovea/testing/suite";
import { LOG_LIMIT_BYTES } from "@fovea/storage/write_ahead_log";
import { DatabaseSync } from "node:sqlite";
import assert from "node:assert/strict";

const JOBS = 1500;
const AT_ONCE = 32;

/** Beyond those at which the empty workers do something else. */
const FIRST_ENTITY = 10_000;

/** What a transaction may add to a log that is just below its limit, bytes. */
const ONE_TRANSACTION = 4 * 1024 * 1024;

Deno.test("the log stays small however many jobs are done, and the database's own file has them", async () => {
  await using inference = await startService("empty_inference", BARE);
  await untilReady(inference);
  const file = `${inference.dataDir}/inference/inference.sqlite`;
  let largest = 0;
  let left = JOBS;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) {
      const job = asJson({ media_store_id: FIRST_ENTITY + left, force: true });
      const answer = await fetch(`${inference.url}/job/image_embedding`, job);
      assert.equal(answer.status, 201);
      await answer.body?.cancel();
      largest = Math.max(largest, (await Deno.stat(`${file}-wal`)).size);
    }
  }));
  const stats = async () => await (await fetch(`${inference.url}/admin/stats`)).json();
  await until("the end of all jobs", async () => (await stats()).by_status.completed >= JOBS);
  largest = Math.max(largest, (await Deno.stat(`${file}-wal`)).size);
  assert.ok(
    largest <= LOG_LIMIT_BYTES.crash + ONE_TRANSACTION,
    `the log grew to ${largest} bytes`,
  );

  await until("the jobs in the file", async () => await completedIn(file) >= JOBS);
});

/** Of the file alone, without its log. */
async function completedIn(file: string): Promise<number> {
  await using folder = await temporaryFolder();
  const copy = `${folder.path}/copy.sqlite`;
  await Deno.copyFile(file, copy);
  using db = new DatabaseSync(copy);
  const row = db.prepare("SELECT count(*) AS n FROM job WHERE status = 'completed'").get();
  return Number(row?.n);
}
