import { type Job, Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { faces, PICTURE } from "../testing/face_client.ts";
import { FACES, refuse, sha256Of, StandIn } from "../testing/stand_in.ts";

const PICTURE_SHA256 = await sha256Of(await Deno.readFile(PICTURE));

const looks = (standIn: StandIn) => standIn.calls.filter((call) => call.startsWith("GET /job/"));

Deno.test("a picture's result is printed on stdout, and the way there on stderr", async () => {
  await using standIn = await StandIn.start();
  const { code, stdout, stderr } = await faces(standIn);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /astronaut\.png: 1 face, 512 × 512 pixels, stand-in, 10 ms\n {2}face 1: x 179/,
  );
  assert.match(stderr, /stored as entity 1\n.*waiting for job [0-9a-f-]{36}\n$/);
});

Deno.test("the client asks once for everything: no call is made in a loop", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = (job) => {
    setTimeout(() => standIn.complete(job), 700);
  };
  assert.equal((await faces(standIn)).code, 0);
  const [jobId] = standIn.jobs.keys();
  assert.deepEqual(standIn.calls, [
    "GET /info",
    "POST /entity/",
    "POST /job/face_detection",
    `GET /job/${jobId}`,
  ]);
});

Deno.test("the subscription is there before the job is submitted", async () => {
  await using standIn = await StandIn.start();
  let subscribed = false;
  standIn.onSubmit = async (job) => {
    subscribed = standIn.subscriptions.includes(`inference/job/${job.job_id}/completed`);
    await standIn.complete(job);
  };
  assert.equal((await faces(standIn)).code, 0);
  assert.ok(subscribed);
});

Deno.test("an event that comes before the answer to the submission is not missed", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    await standIn.complete(job);
    await new Promise((resolve) => setTimeout(resolve, 300));
  };
  assert.equal((await faces(standIn)).code, 0);
});

Deno.test("priority and label reach the services", async () => {
  await using standIn = await StandIn.start();
  let label: FormDataEntryValue | null = null;
  standIn.handler = async (request) => {
    if (!request.url.endsWith("/entity/")) return undefined;
    const form = await request.formData();
    label = form.get("label");
    assert.equal((form.get("image") as File).name, "astronaut.png");
    assert.equal(form.get("is_collection"), "false");
    return Response.json({ id: 7, sha256: PICTURE_SHA256 }, { status: 201 });
  };
  standIn.entities.set(7, { sha256: PICTURE_SHA256, is_deleted: false });
  const { code } = await faces(standIn, [PICTURE, "--priority", "10", "--label", "Eileen Cöllins"]);
  assert.equal(code, 0);
  assert.equal(label, "Eileen Cöllins");
  const [job] = standIn.jobs.values();
  assert.equal(job?.priority, 10);
  assert.equal(job?.media_store_id, 7);
});

Deno.test("a picture that is already stored is looked at under the id it has", async () => {
  await using standIn = await StandIn.start();
  standIn.entities.set(41, { sha256: PICTURE_SHA256, is_deleted: false });
  const { code, stderr } = await faces(standIn);
  assert.equal(code, 0);
  assert.match(stderr, /: stored as entity 41$/m);
  assert.equal([...standIn.jobs.values()][0]?.media_store_id, 41);
});

Deno.test("a stored picture that is deleted is looked at, and said to be deleted", async () => {
  await using standIn = await StandIn.start();
  standIn.entities.set(3, { sha256: PICTURE_SHA256, is_deleted: true });
  const { code, stdout, stderr } = await faces(standIn, [PICTURE, PICTURE]);
  assert.equal(code, 0);
  assert.match(stdout, /1 face/);
  assert.match(stderr, /astronaut\.png is in media_store as entity 3, which is deleted: PATCH/);
  assert.match(stderr, /^2 pictures: 2 there, deleted$/m);
});

/** Answers every submission with a job that is already there. */
function giveJob(standIn: StandIn, job: Job): void {
  standIn.handler = (request) =>
    request.url.includes("/job/") && request.method === "POST" ? Response.json(job) : undefined;
}

Deno.test("the result of a job that ended long ago is printed without any event", async () => {
  await using standIn = await StandIn.start();
  const job = standIn.addJob();
  standIn.end(job, { status: "completed", result: FACES, ...{ sha256: PICTURE_SHA256 } });
  giveJob(standIn, job);
  const { code, stdout } = await faces(standIn, [PICTURE, "--json"]);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).job_id, job.job_id);
  assert.equal(looks(standIn).length, 1);
});

Deno.test("a job that somebody else submitted is waited for", async () => {
  await using standIn = await StandIn.start();
  const job = standIn.addJob({ status: "processing" });
  giveJob(standIn, job);
  const running = faces(standIn, [PICTURE, "--json"]);
  const completing = setInterval(() => {
    if (looks(standIn).length === 0) return;
    clearInterval(completing);
    standIn.complete(job);
  }, 20);
  const { code, stdout } = await running;
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).job_id, job.job_id);
  assert.equal(looks(standIn).length, 2);
});

Deno.test("a retained event of an earlier end does not end the wait for a job begun again", async () => {
  await using standIn = await StandIn.start();
  const job = standIn.addJob({ status: "error" });
  await standIn.publish(job);
  job.status = "processing";
  giveJob(standIn, job);
  const running = faces(standIn, [PICTURE, "--json"]);
  const completing = setInterval(() => {
    if (looks(standIn).length < 2) return;
    clearInterval(completing);
    standIn.complete(job);
  }, 20);
  assert.equal((await running).code, 0);
});

Deno.test("a job that ended while the broker was away is found by one look after it is back", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = (job) => {
    setTimeout(async () => {
      await standIn.stopBroker();
      standIn.end(job, { status: "completed", result: FACES });
      await standIn.startBroker();
    }, 200);
  };
  assert.equal((await faces(standIn)).code, 0);
  assert.equal(looks(standIn).length, 1);
});

Deno.test("an event after a broker's restart is heard", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = (job) => {
    setTimeout(async () => {
      await standIn.stopBroker();
      await standIn.startBroker();
    }, 200);
    const completing = setInterval(() => {
      if (looks(standIn).length === 0) return;
      clearInterval(completing);
      standIn.complete(job);
    }, 20);
  };
  assert.equal((await faces(standIn)).code, 0);
  assert.equal(looks(standIn).length, 2);
});

Deno.test("a broker that refuses the subscription ends with 4, and no job is submitted", async () => {
  await using standIn = await StandIn.start();
  standIn.refusesSubscriptions = true;
  const { code, stdout, stderr } = await faces(standIn);
  assert.deepEqual([code, stdout], [4, ""], stderr);
  assert.match(
    stderr,
    /the MQTT broker refuses the subscription to inference\/job\/.*\/completed: /,
  );
  assert.equal(standIn.jobs.size, 0);
});

Deno.test("a job that takes longer than --timeout ends with 3, without a single look", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = () => {};
  const { code, stdout, stderr } = await faces(standIn, [PICTURE, "--timeout", "0.5"]);
  assert.equal(code, 3);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^Cannot find faces in .*astronaut\.png: not done within 0\.5 s: .*--timeout$/m,
  );
  assert.deepEqual(looks(standIn), []);
});

Deno.test("a broker that goes away and stays away ends with 4", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = () => standIn.stopBroker();
  const { code, stderr } = await faces(standIn, [PICTURE, "--timeout", "1"]);
  assert.equal(code, 4);
  assert.match(stderr, /MQTT broker went away/);
});

Deno.test("a job that failed ends with 1 and says why", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    standIn.end(job, {
      status: "error",
      error_code: "image_truncated",
      error_message: "picture ends after 300 of 512 lines",
    });
    await standIn.publish(job);
  };
  const { code, stdout, stderr } = await faces(standIn);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /failed: picture ends after 300 of 512 lines$/m);
});

Deno.test("a result that media_store has not taken yet is printed with a warning", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    standIn.end(job, { status: "sync_failed", result: FACES });
    await standIn.publish(job);
  };
  const { code, stdout, stderr } = await faces(standIn);
  assert.equal(code, 0);
  assert.match(stdout, /1 face/);
  assert.match(stderr, /media_store has not got the result/);
});

Deno.test("a full queue is waited for, as long as it says", async () => {
  await using standIn = await StandIn.start();
  let refusals = 0;
  standIn.handler = (request) =>
    request.url.includes("/job/") && request.method === "POST" && refusals++ < 2
      ? refuse(new Problem("queue_full", "1000 jobs wait"), { "Retry-After": "1" })
      : undefined;
  assert.equal((await faces(standIn)).code, 0);
  assert.equal(refusals, 3);
});

Deno.test("a media_store that is too busy is waited for, as long as it says", async () => {
  await using standIn = await StandIn.start();
  let refusals = 0;
  standIn.handler = (request) =>
    request.url.endsWith("/entity/") && refusals++ < 1
      ? refuse(new Problem("service_busy", "too much to do"), { "Retry-After": "1" })
      : undefined;
  assert.equal((await faces(standIn)).code, 0);
  assert.equal(refusals, 2);
});

Deno.test("a queue that stays full ends with 3 when the time is up", async () => {
  await using standIn = await StandIn.start();
  standIn.handler = (request) =>
    request.url.includes("/job/")
      ? refuse(new Problem("queue_full", "1000 jobs wait"), { "Retry-After": "3600" })
      : undefined;
  assert.equal((await faces(standIn, [PICTURE, "--timeout", "0.5"])).code, 3);
});

Deno.test("a submission whose answer is lost is sent again and makes no second job", async () => {
  await using standIn = await StandIn.start();
  let lost = false;
  standIn.handler = async (request) => {
    if (lost || request.method !== "POST" || !request.url.includes("/job/")) return undefined;
    lost = true;
    const { job_id, media_store_id } = await request.json();
    await standIn.complete(standIn.addJob({ job_id, media_store_id }));
    return new Response(new ReadableStream({ pull: (body) => body.error(new Error("cut")) }));
  };
  assert.equal((await faces(standIn)).code, 0);
  assert.ok(lost);
  assert.equal(standIn.jobs.size, 1);
});

Deno.test("a refused upload ends with 1 and says why, and no job is submitted", async () => {
  await using standIn = await StandIn.start();
  standIn.handler = (request) =>
    request.url.endsWith("/entity/")
      ? refuse(new Problem("empty_file", "file has 0 bytes"))
      : undefined;
  const { code, stderr } = await faces(standIn);
  assert.equal(code, 1);
  assert.match(stderr, /astronaut\.png: media_store: file has 0 bytes$/m);
  assert.equal(standIn.jobs.size, 0);
});

Deno.test("FOVEA_TOKEN goes to both services, and the error says where it is refused", async () => {
  await using standIn = await StandIn.start();
  assert.equal((await faces(standIn, [PICTURE], { FOVEA_TOKEN: "key" })).code, 0);
  assert.deepEqual(new Set(standIn.tokens), new Set(["key"]));

  standIn.handler = (request) =>
    request.method === "POST"
      ? refuse(new Problem("unauthorized", "token has expired"))
      : undefined;
  const { code, stderr } = await faces(standIn, [PICTURE], { FOVEA_TOKEN: "old" });
  assert.equal(code, 1);
  assert.match(stderr, /media_store: token has expired: see the token in FOVEA_TOKEN$/m);
});

Deno.test("without FOVEA_TOKEN no token is sent", async () => {
  await using standIn = await StandIn.start();
  await faces(standIn);
  assert.deepEqual(new Set(standIn.tokens), new Set([null]));
});

Deno.test("a token file is read anew when it has changed", async () => {
  await using standIn = await StandIn.start();
  await using folder = await temporaryFolder();
  const file = `${folder.path}/token`;
  await Deno.writeTextFile(file, "first\n");
  standIn.handler = async (request) => {
    if (request.url.endsWith("/entity/")) await Deno.writeTextFile(file, "the second\n");
    return undefined;
  };
  const { code } = await faces(standIn, [PICTURE], { FOVEA_TOKEN_FILE: file, FOVEA_TOKEN: "old" });
  assert.equal(code, 0);
  assert.deepEqual(standIn.tokens, ["first", "first", "the second", "the second"]);

  const missing = await faces(standIn, [PICTURE], { FOVEA_TOKEN_FILE: `${folder.path}/no` });
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /no \(FOVEA_TOKEN_FILE\) can't be read: no such file or directory/);
});

Deno.test("the token is the broker's password where its address names no user", async () => {
  await using standIn = await StandIn.start();
  assert.equal((await faces(standIn, [PICTURE], { FOVEA_TOKEN: "key" })).code, 0);
  assert.deepEqual(standIn.logins.at(-1), { user: "fovea", password: "key" });
  const mqtt = ["--mqtt", standIn.mqttUrl.replace("//", "//me:mine@")];
  assert.equal((await faces(standIn, [PICTURE, ...mqtt], { FOVEA_TOKEN: "key" })).code, 0);
  assert.deepEqual(standIn.logins.at(-1), { user: "me", password: "mine" });
  const named = ["--mqtt", standIn.mqttUrl.replace("127.0.0.1", "localhost")];
  const inference = ["--inference", standIn.address.replace("127.0.0.1", "localhost")];
  const args = [PICTURE, ...inference, ...named];
  assert.equal((await faces(standIn, args, { FOVEA_TOKEN: "key" })).code, 0);
  assert.deepEqual(standIn.logins.at(-1), { user: "fovea", password: "key" });
});

Deno.test("the token goes to no broker but inference's own", async () => {
  const anonymous = { user: undefined, password: undefined };
  await using standIn = await StandIn.start();
  await using other = await StandIn.start();
  const elsewhere = [PICTURE, "--mqtt", other.mqttUrl, "--timeout", "1"];
  await faces(standIn, elsewhere, { FOVEA_TOKEN: "key" });
  assert.deepEqual(other.logins, [anonymous]);
  standIn.info = { mqtt_built_in: false };
  assert.equal((await faces(standIn, [PICTURE], { FOVEA_TOKEN: "key" })).code, 0);
  assert.deepEqual(standIn.logins.at(-1), anonymous);
});

/** As a proxy answers while what is behind it is away. */
