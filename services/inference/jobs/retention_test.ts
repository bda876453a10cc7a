import { until } from "@fovea/testing";
import assert from "node:assert/strict";
import { failed, openJobs, silent } from "../testing/open_jobs.ts";
import { keepJobsFor } from "./retention.ts";

const DAY = 24 * 60 * 60_000;

Deno.test("at the start jobs are removed that ended too long ago, unless they are kept for ever", async () => {
  await using opened = await openJobs();
  const { job } = await opened.jobs.submit("face_detection", { media_store_id: 1 });
  await opened.recordOutcome(await opened.begin(), failed("image_truncated"));
  opened.clock.now += 31 * DAY;
  const count = async () => (await opened.jobs.list({}, 1, 20)).total;
  {
    using _forEver = keepJobsFor(0, opened.administration, silent);
    assert.equal((await opened.jobs.get(job.job_id)).status, "error");
  }
  using _aMonth = keepJobsFor(30, opened.administration, silent);
  await until("the removal of the job", async () => await count() === 0);
});
