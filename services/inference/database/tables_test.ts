import { openSqlite } from "@fovea/storage/sqlite";
import { temporaryFolder } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { MIGRATIONS, type Tables } from "./tables.ts";

/** The tables as they were before results belonged to bytes. */
const OLDER = Object.fromEntries(
  Object.entries(MIGRATIONS).filter(([name]) => name < "0004"),
);

Deno.test("jobs of an older version keep their events' ids, and name no bytes", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  const older = await openSqlite(path, OLDER);
  await sql`
    INSERT INTO job (job_id, task_type, media_store_id, priority, force, options, model_name, status,
      created_at, queued_at, completed_at, result)
    VALUES ('a', 'face_detection', 1, 5, 0, '{}', 'm', 'completed', 1, 1, 2, '{}'),
      ('b', 'face_detection', 2, 5, 0, '{}', 'm', 'completed', 1, 1, 2, '{}'),
      ('c', 'face_detection', 3, 5, 0, '{}', NULL, 'pending', 1, 1, NULL, NULL)`.execute(older);
  await sql`
    INSERT INTO outbox (topic, payload, retain, at, kept_from)
    VALUES ('inference/job/a/completed', '{"event_id": "told before"}', 1, 2, 2)`.execute(older);
  await older.destroy();

  await using db = await openSqlite<Tables>(path, MIGRATIONS);
  const jobs = await db.selectFrom("job").select(["event_id", "sha256", "space"]).orderBy("seq")
    .execute();
  assert.deepEqual(jobs.map(({ sha256, space }) => [sha256, space]), Array(3).fill([null, null]));
  assert.equal(jobs[0]?.event_id, "told before");
  assert.match(jobs[1]?.event_id ?? "", /^[0-9a-f]{32}$/);
  assert.equal(jobs[2]?.event_id, null);
});
