import { until } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { failed, openJobs, silent } from "../testing/open_jobs.ts";
import { keepJobsFor } from "./retention.ts";

const DAY_MS = 24 * 60 * 60_000;

Deno.test("at the start jobs are removed since whose end it has run for long, unless they are kept for ever", async () => {
  await using opened = await openJobs();
  const runFor = (timeMs: number) =>
    sql`INSERT INTO running_time (id, ms, seen_at) VALUES (1, ${timeMs}, 0)
      ON CONFLICT DO UPDATE SET ms = ${timeMs}`.execute(opened.db);
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await runFor(opened.clock.now);
  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  opened.clock.now += 20 * DAY_MS;
  await runFor(opened.clock.now);
  await opened.jobs.submit("face_detection", { media_store_id: 2 });
  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  opened.clock.now += 11 * DAY_MS;
  const left = async () => (await opened.jobs.list({}, 1, 20)).jobs;
  {
    using _forEver = keepJobsFor(0, opened.administration, silent);
    assert.equal((await opened.jobs.get(job.job_id)).status, "error");
  }
  using _aMonth = keepJobsFor(30, opened.administration, silent);
  await until("the removal of the older job", async () => (await left()).length === 1);
  assert.equal((await left())[0]?.media_store_id, 2);
});
