/**
 * What is kept, and for how long, through the started service: JOB_RETAIN_DAYS,
 * EVENT_RETAIN_MINUTES, wrong clocks, and the copy of before an update.
 *
 * @module
 */
import { type ServiceProcess, startService, temporaryFolder, until } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";

const DAY_MS = 24 * 60 * 60_000;
/** No job is delivered to it. */
const SETTINGS = { ...BARE, MEDIA_STORE_URL: "http://127.0.0.1:9" };

/** Changes the database of a service that does not run. */
function edit(dataDir: string, change: string): void {
  using db = new DatabaseSync(`${dataDir}/inference/inference.sqlite`);
  db.exec(change);
}

async function jobDone(service: ServiceProcess, media_store_id: number): Promise<string> {
  const { submit, job } = clientOf("", service.url);
  const { job_id } = await submit("image_embedding", { media_store_id });
  await until(
    `the end of job ${job_id}`,
    async () => (await job(job_id)).status === "completed",
  );
  return job_id;
}

const statusOf = async (service: ServiceProcess, jobId: string) => {
  const answer = await fetch(`${service.url}/job/${jobId}`);
  await answer.body?.cancel();
  return answer.status;
};

const eventsOf = async (service: ServiceProcess): Promise<number> => {
  const body = await (await fetch(`${service.url}/metrics`)).text();
  assert.match(body, /inference/);
  using db = new DatabaseSync(`${service.dataDir}/inference/inference.sqlite`, { readOnly: true });
  return Number(db.prepare("SELECT count(*) AS n FROM outbox").get()?.n);
};

Deno.test("a clock that was wrong when jobs ended, or is now, removes no job and no event", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, DATA_DIR: folder.path, JOB_RETAIN_DAYS: "1" };
  const jobs: string[] = [];
  {
    await using service = await startService("empty_inference", settings);
    await untilReady(service);
    for (const entity of [1, 2]) jobs.push(await jobDone(service, entity));
  }
  // As a board without a battery leaves it, which began in 1971; and one that ran in 2040 once.
  for (
    const [seenAt, said] of [
      [Date.UTC(1971, 0, 1), /by the clock the service was away for long/],
      [Date.UTC(2090, 0, 1), /the clock is behind the time when the service ran last/],
    ] as const
  ) {
    edit(
      folder.path,
      `UPDATE job SET created_at = ${seenAt}, queued_at = ${seenAt}, completed_at = ${seenAt};
       UPDATE running_time SET seen_at = ${seenAt}`,
    );
    await using service = await startService("empty_inference", settings);
    await untilReady(service);
    assert.ok(service.log().some(({ level, msg }) => level === "warn" && said.test(msg)));
    // What is done in time before and after the look at what is old.
    await jobDone(service, 3);
    for (const job of jobs) assert.equal(await statusOf(service, job), 200);
    assert.ok(await eventsOf(service) > 0);
    assert.ok(!service.log().some(({ msg }) => msg === "removed old jobs"));
  }
});

Deno.test("jobs go when the service has run for JOB_RETAIN_DAYS since their end, and 0 keeps them", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, DATA_DIR: folder.path };
  let old = "";
  {
    await using service = await startService("empty_inference", settings);
    await untilReady(service);
    old = await jobDone(service, 1);
  }
  edit(folder.path, `UPDATE running_time SET ms = ms + ${3 * DAY_MS}`);
  {
    await using service = await startService("empty_inference", {
      ...settings,
      JOB_RETAIN_DAYS: "0",
    });
    await untilReady(service);
    await jobDone(service, 2);
    assert.equal(await statusOf(service, old), 200);
  }
  await using service = await startService("empty_inference", {
    ...settings,
    JOB_RETAIN_DAYS: "2",
  });
  await until("the removal of the old job", async () => await statusOf(service, old) === 404);
  const { pagination } = await (await fetch(`${service.url}/job/`)).json();
  assert.equal(pagination.total_items, 1);
});

Deno.test("events go when the service has run for EVENT_RETAIN_MINUTES since", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, DATA_DIR: folder.path, EVENT_RETAIN_MINUTES: "1" };
  {
    await using service = await startService("empty_inference", settings);
    await untilReady(service);
    await jobDone(service, 1);
    assert.ok(await eventsOf(service) > 1);
  }
  edit(folder.path, `UPDATE running_time SET ms = ms + ${2 * 60_000}`);
  await using service = await startService("empty_inference", settings);
  // The newest event stays, and that the broker is to forget the end of the job.
  await until("the events' removal", async () => await eventsOf(service) <= 2);
});

for (
  const [how, remove] of [
    ["a job", (url: string, job: string) => fetch(`${url}/job/${job}`, { method: "DELETE" })],
    [
      "all old jobs",
      (url: string) => fetch(`${url}/admin/cleanup?older_than_days=0`, { method: "DELETE" }),
    ],
  ] as const
) {
  Deno.test(`the copy of before an update goes when somebody removes ${how}`, async () => {
    await using folder = await temporaryFolder();
    const settings = { ...SETTINGS, DATA_DIR: folder.path };
    const copy = `${folder.path}/inference/inference.sqlite.before-update`;
    const isThere = () => Deno.stat(copy).then(() => true, () => false);
    await Deno.mkdir(`${folder.path}/inference`);
    await Deno.writeTextFile(copy, "as it was");
    await using service = await startService("empty_inference", settings);
    await untilReady(service);
    const job = await jobDone(service, 1);
    assert.ok(await isThere());
    const answer = await remove(service.url, job);
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
    await until("the removal of the copy", async () => !await isThere());
  });
}

Deno.test("the copy of before an update goes when the service has run for a week since", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, DATA_DIR: folder.path };
  const copy = `${folder.path}/inference/inference.sqlite.before-update`;
  const isThere = () => Deno.stat(copy).then(() => true, () => false);
  await Deno.mkdir(`${folder.path}/inference`);
  await Deno.writeTextFile(copy, "as it was");
  {
    await using _first = await startService("empty_inference", settings);
    assert.ok(await isThere());
  }
  edit(folder.path, `UPDATE running_time SET ms = ms + ${8 * DAY_MS}`);
  await using service = await startService("empty_inference", settings);
  assert.ok(!await isThere());
  assert.ok(service.log().some(({ msg }) => msg === "removed the copy of before the update"));
});
