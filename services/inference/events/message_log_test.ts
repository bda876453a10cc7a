import { openSqlite } from "@fovea/storage/sqlite";
import { temporaryFolder } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { MIGRATIONS, type Tables } from "../database/tables.ts";
import { silent } from "../testing/open_jobs.ts";
import { Outbox } from "./outbox.ts";

Deno.test("a database from before the log keeps what waited and what the broker retains", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/jobs.sqlite`;
  const first = "0001_jobs_and_events";
  const before = await openSqlite(path, { [first]: MIGRATIONS[first]! });
  await sql`INSERT INTO retained VALUES ('a', 'completed', 0), ('b', 'completed', 0)`
    .execute(before);
  await sql`INSERT INTO outbox (topic, payload, retain) VALUES ('c', 'a step', 0)`.execute(before);
  await before.destroy();

  await using db = await openSqlite<Tables>(path, MIGRATIONS);
  const sent: string[] = [];
  const outbox = new Outbox({
    db,
    publish: ({ topic, payload }) => {
      sent.push(`${topic}: ${payload}`);
      return Promise.resolve();
    },
    retainMs: 60_000,
    // The service has not run since it counts for how long it has.
    now: () => 0,
    log: silent,
  });
  assert.equal((await outbox.state()).pending, 1);
  outbox.resume(false);
  await outbox.close(10_000);
  assert.deepEqual(sent.sort(), ["a: completed", "b: completed", "c: a step"]);
});
