import type { Item, Job } from "@fovea/contract";
import { endOf, runTask, type ServiceProcess, startService, temporaryFolder } from "@fovea/testing";
import { startSuite, type Suite } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const picture = (name: string) =>
  Deno.readFile(new URL(`../../clients/images/${name}`, import.meta.url));

const backUp = (dataDir: string, ...args: string[]) =>
  runTask("backup", args, { DATA_DIR: dataDir });

/** Both services on one DATA_DIR, as a user has them. */
const startBoth = (dataDir: string) => startSuite({ DATA_DIR: dataDir }, { DATA_DIR: dataDir });

async function completed(both: Suite, item: Item): Promise<Job> {
  const { job_id } = await both.submit("image_embedding", { media_store_id: item.id });
  const job = await both.ended(job_id);
  assert.equal(job.status, "completed", job.error_message ?? "");
  return job;
}

const fitOf = async ({ url }: ServiceProcess) =>
  (await (await fetch(`${url}/health/ready`)).json()).checks.same_media_store;

const misfits = (inference: ServiceProcess) =>
  inference.log().filter(({ msg }) => msg === "media_store does not fit");

/** Replaces what one service keeps by what it kept in another DATA_DIR. */
async function restore(service: string, from: string, to: string): Promise<void> {
  await Deno.remove(`${to}/${service}`, { recursive: true });
  const { code, stderr } = await endOf("cp", {
    args: ["-r", `${from}/${service}`, `${to}/${service}`],
  });
  assert.equal(code, 0, stderr);
}

Deno.test("a backup of running services can be started; one folder of it without the other is told", async (t) => {
  await using folder = await temporaryFolder();
  const [data, backup] = [`${folder.path}/data`, `${folder.path}/backup`];
  let first: Job, second: Job;
  {
    await using both = await startBoth(data);
    first = await completed(both, await both.upload(await picture("horse.png")));
    const { code, stdout, stderr } = await backUp(data, backup);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^backed up 1 files, 0\.0 MB, jobs and vectors, into /);
    second = await completed(both, await both.upload(await picture("rocket.jpg")));
    assert.deepEqual(await fitOf(both.inference), { state: "ok" });
  }

  await t.step("both folders of the backup fit, whatever came after it", async () => {
    await using both = await startBoth(backup);
    assert.deepEqual(await both.job(first.job_id), first);
    const late = await fetch(`${both.inference.url}/job/${second.job_id}`);
    assert.deepEqual([late.status, (await late.json()).code], [404, "job_not_found"]);
    // The same id again, for another picture.
    const other = await both.upload(await picture("coffee.png"));
    assert.equal(other.id, second.media_store_id);
    await completed(both, other);
    assert.deepEqual(await fitOf(both.inference), { state: "ok" });
    assert.deepEqual(misfits(both.inference), []);
  });

  await t.step("an older media_store beside newer results is told at the start", async () => {
    await restore("media_store", backup, data);
    await using both = await startBoth(data);
    const [{ level, detail } = assert.fail("nothing was logged"), ...more] = misfits(
      both.inference,
    );
    assert.deepEqual([level, more], ["error", []]);
    assert.match(
      String(detail),
      /^media_store was restored from a backup that is older.* from the same backup, or/,
    );
    const { state, ...said } = await fitOf(both.inference);
    assert.deepEqual([state, said.detail], ["degraded", detail]);
    // Once is enough, and what was done since makes it no better.
    await completed(both, await both.upload(await picture("camera.png")));
    assert.equal((await fitOf(both.inference)).state, "degraded");
    assert.equal(misfits(both.inference).length, 1);
  });
});

Deno.test("another media_store under the same address is told while inference runs", async () => {
  await using folder = await temporaryFolder();
  await using both = await startBoth(folder.path);
  await completed(both, await both.upload(await picture("horse.png")));
  assert.deepEqual(await fitOf(both.inference), { state: "ok" });
  const { port } = new URL(both.mediaStore.url);
  await both.mediaStore.kill("SIGTERM");
  // An outage is not a misfit.
  assert.deepEqual(await fitOf(both.inference), { state: "ok" });
  await using _other = await startService("media_store", { MEDIA_STORE_PORT: port });
  const { state, detail } = await fitOf(both.inference);
  assert.equal(state, "degraded");
  assert.match(detail, /^media_store is another one \([0-9a-f-]{36}\) than results are of \(/);
  assert.equal(misfits(both.inference).length, 1);
});

Deno.test("a backup that can't be made leaves nothing, and says why", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/used/note`, { recursive: true });
  const none = await backUp(folder.path, `${folder.path}/new`);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^Cannot back up: there is nothing to back up in .*: set DATA_DIR\n$/);
  await using service = await startService("media_store", { DATA_DIR: folder.path });
  const used = await backUp(folder.path, `${folder.path}/used`);
  assert.equal(used.code, 1);
  assert.match(used.stderr, /has "note" in it: name an empty folder, or a new one\n$/);
  await service.kill("SIGTERM");
  await Deno.writeTextFile(`${folder.path}/media_store/entities.sqlite`, "no database");
  const broken = await backUp(folder.path, `${folder.path}/new`);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^Cannot back up: file is not a database\n$/);
  assert.deepEqual([...Deno.readDirSync(`${folder.path}/new`)], []);
  for (const args of [[], ["a", "b"], ["--all"]]) {
    const { code, stderr } = await backUp(folder.path, ...args);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot do that: .*\n\nUsage: /);
  }
});
