import type { Job } from "@fovea/contract";
import assert from "node:assert/strict";
import { faces, PICTURE } from "../testing/face_client.ts";
import { FACES, StandIn } from "../testing/stand_in.ts";

/** Answers submissions that don't ask for a new job with one that is there, of other bytes. */
function giveOtherBytes(standIn: StandIn, sha256: string | null): Job {
  const job = standIn.addJob();
  const nobody = { ...FACES, faces: [], face_count: 0 };
  standIn.end(job, { status: "completed", result: nobody, ...{ sha256 } });
  standIn.handler = async (request) => {
    if (!request.url.includes("/job/") || request.method !== "POST") return undefined;
    return (await request.clone().json()).force ? undefined : Response.json(job);
  };
  return job;
}

Deno.test("a result of other bytes is not printed: the job is asked for anew", async () => {
  for (const sha256 of ["0".repeat(64), null]) {
    await using standIn = await StandIn.start();
    const other = giveOtherBytes(standIn, sha256);
    const { code, stdout, stderr } = await faces(standIn);
    assert.equal(code, 0);
    assert.match(stdout, /1 face/);
    assert.match(stderr, new RegExp(`job ${other.job_id} is not of these bytes: asking anew`));
  }
});

Deno.test("a picture whose place other bytes have taken is stored once more", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    // As by PUT, while the client waits.
    if (job.media_store_id === 1) {
      standIn.entities.set(1, { sha256: "1".repeat(64), is_deleted: false });
    }
    await standIn.complete(job);
  };
  const { code, stdout } = await faces(standIn, [PICTURE, "--json"]);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).media_store_id, 2);
});

Deno.test("results that are of other bytes again and again end with 1, and none is printed", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    standIn.end(job, { status: "completed", result: FACES, ...{ sha256: "1".repeat(64) } });
    await standIn.publish(job);
  };
  const { code, stdout, stderr } = await faces(standIn);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /astronaut\.png: job .* looked at other bytes \(sha256 1{64}\)/);
  assert.equal(standIn.jobs.size, 2);
});

Deno.test("an entity that has other bytes than were sent ends with 1", async () => {
  await using standIn = await StandIn.start();
  standIn.handler = (request) =>
    request.url.endsWith("/entity/") ? Response.json({ id: 5, sha256: "2".repeat(64) }) : undefined;
  const { code, stderr } = await faces(standIn);
  assert.equal(code, 1);
  assert.match(stderr, /media_store says that it keeps these bytes as entity 5, but that has sha/);
  assert.equal(standIn.jobs.size, 0);
});

Deno.test("where inference does not say of which bytes its results are, there is a warning", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    standIn.end(job, { status: "completed", result: FACES });
    delete (job as Partial<Job>).sha256;
    await standIn.publish(job);
  };
  const { code, stdout, stderr } = await faces(standIn);
  assert.equal(code, 0);
  assert.match(stdout, /1 face/);
  assert.match(stderr, /^Warning: this inference does not say of which bytes its results are/m);
});
