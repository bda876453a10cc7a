import { type Job, Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { runClient } from "../testing/client_process.ts";
import { nobody } from "../testing/free_ports.ts";
import { FACES, sha256Of, StandIn } from "../testing/stand_in.ts";

const picture = (name: string) => new URL(`../images/${name}`, import.meta.url).pathname;
const at = ({ address }: StandIn) => ["--media-store", address, "--inference", address];
const NOBODY = nobody();

Deno.test("results come in the order of the inputs, however long each takes", async () => {
  await using standIn = await StandIn.start();
  let submitted = 0;
  standIn.onSubmit = (job) => {
    // The first one submitted is the last one done.
    setTimeout(() => standIn.complete(job), submitted++ === 0 ? 600 : 10);
  };
  const images = ["coffee.png", "horse.png", "rocket.jpg", "camera.png", "chelsea.png"].map(
    picture,
  );
  const { code, stdout } = await runClient("face-client", [...images, ...at(standIn), "--json"]);
  assert.equal(code, 0);
  const files = stdout.trim().split("\n").map((line) => JSON.parse(line).file);
  assert.deepEqual(files, images);
});

Deno.test("several pictures are under way at once, but never more than four", async () => {
  await using standIn = await StandIn.start();
  const images = Array(9).fill(picture("horse.png"));
  const open: Job[] = [];
  let submitted = 0, most = 0;
  standIn.onSubmit = (job) => {
    open.push(job);
    submitted++;
    most = Math.max(most, open.length);
    // None is done before four wait: with fewer at once, this would never end.
    if (open.length < 4 && submitted < images.length) return;
    setTimeout(() => open.splice(0).forEach((job) => standIn.complete(job)), 200);
  };
  const { code } = await runClient("face-client", [...images, ...at(standIn), "--quiet"]);
  assert.equal(code, 0);
  assert.equal(most, 4);
});

Deno.test("one picture that fails does not stop the others, and the end is 5", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    if (job.media_store_id !== 2) return await standIn.complete(job);
    standIn.end(job, { status: "error", error_code: "worker_lost", error_message: "worker died" });
    await standIn.publish(job);
  };
  const images = [picture("horse.png"), picture("coffee.png")];
  const sha256 = await sha256Of(await Deno.readFile(images[0]!));
  standIn.entities.set(2, { sha256, is_deleted: false });
  const { code, stdout, stderr } = await runClient("face-client", [...images, ...at(standIn)]);
  assert.equal(code, 5);
  assert.match(stdout, /1 face/);
  assert.match(stderr, /^Cannot find faces in .*: job .* failed: worker died$/m);
});

Deno.test("a missing file is named, the others go on, and the end is 5", async () => {
  await using standIn = await StandIn.start();
  const images = ["no-such.png", picture("horse.png")];
  const { code, stdout, stderr } = await runClient("face-client", [...images, ...at(standIn)]);
  assert.equal(code, 5);
  assert.match(stderr, /^Cannot find faces in no-such\.png: there is no such file$/m);
  assert.match(stdout, /horse\.png: 1 face/);
});

Deno.test("where no file can be read nobody is called, and the end is 2", async () => {
  await using standIn = await StandIn.start();
  const folder = new URL("../images", import.meta.url).pathname;
  for (const images of [["no-such.png"], ["no-such.png", folder], [folder]]) {
    const { code, stderr } = await runClient("face-client", [...images, ...at(standIn)]);
    assert.equal(code, 2);
    assert.equal(stderr.trim().split("\n").length, images.length);
  }
  assert.deepEqual(standIn.calls, []);
});

Deno.test("services and a broker that are not there end with 4, their address and a way on", async () => {
  await using standIn = await StandIn.start();
  const here = standIn.address;
  const cases: [string[], RegExp][] = [
    [
      ["--inference", NOBODY],
      new RegExp(
        `inference can't be reached at http://${NOBODY}: connection refused: is it running ` +
          String.raw`\(.\/fovea inference\)\? .*--inference`,
      ),
    ],
    [
      ["--inference", here, "--media-store", NOBODY],
      new RegExp(
        `media_store can't be reached at http://${NOBODY}: connection refused: .*--media-store`,
      ),
    ],
    [
      ["--inference", here, "--mqtt", `mqtt://me:secret@${NOBODY}`],
      new RegExp(
        `MQTT broker can't be reached at mqtt://${NOBODY}: connection refused: .*--mqtt`,
      ),
    ],
    [
      ["--inference", "no-such-host.invalid:8001"],
      /http:\/\/no-such-host\.invalid:8001: host name not found/,
    ],
  ];
  for (const [where, message] of cases) {
    const { code, stdout, stderr } = await runClient("embed-client", [
      picture("horse.png"),
      ...where,
    ]);
    assert.equal(code, 4);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /secret/);
  }
});

Deno.test("another program that listens in a service's place is recognised", async () => {
  await using standIn = await StandIn.start();
  standIn.handler = () => new Response("<h1>It works!</h1>", { status: 404 });
  const { code, stderr } = await runClient("face-client", [picture("horse.png"), ...at(standIn)]);
  assert.equal(code, 4);
  assert.match(stderr, /is not inference: it met GET \/info with status 404/);

  standIn.handler = () =>
    Response.json(new Problem("route_not_found", "there is no GET /info here").document(), {
      status: 404,
    });
  const swapped = await runClient("face-client", [picture("horse.png"), ...at(standIn)]);
  assert.equal(swapped.code, 4);
  assert.match(swapped.stderr, /is not inference: it met GET \/info with status 404/);
});

Deno.test("a fixture is called one on stderr; --quiet leaves stderr empty", async () => {
  await using standIn = await StandIn.start();
  const model = { name: "toy", sha256: "", semantic: false, licence: "MIT" };
  standIn.info = { tasks: [{ task_type: "face_detection", state: "ready", model }] };
  const args = [picture("horse.png"), ...at(standIn)];
  assert.match((await runClient("face-client", args)).stderr, /^Warning: "toy" is a fixture/m);
  const quiet = await runClient("face-client", [...args, "--quiet"]);
  assert.equal(quiet.stderr, "");
  assert.match(quiet.stdout, /1 face/);
});

Deno.test("embed-client asks for embeddings", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = (job) =>
    standIn.complete(job, {
      embedding: Array(512).fill(1 / Math.sqrt(512)),
      embedding_dimension: 512,
      stored_in_vector_db: true,
      collection: "image_embeddings",
      point_id: job.media_store_id,
    });
  const args = [picture("horse.png"), ...at(standIn)];
  const { code, stdout } = await runClient("embed-client", args);
  assert.equal(code, 0);
  assert.match(stdout, /horse\.png: 512 numbers, stand-in, 10 ms\n {2}0\.0442 .*--json/);
  assert.ok(standIn.calls.includes("POST /job/image_embedding"));
  const json = await runClient("embed-client", [...args, "--json", "--mqtt", standIn.mqttUrl]);
  assert.equal(JSON.parse(json.stdout).result.embedding.length, 512);
});

Deno.test("--json prints what happened to each picture, whole", async () => {
  await using standIn = await StandIn.start();
  const image = picture("horse.png");
  const { stdout } = await runClient("face-client", [image, ...at(standIn), "--json"]);
  const [job] = standIn.jobs.values();
  assert.deepEqual(JSON.parse(stdout), {
    file: image,
    media_store_id: 1,
    job_id: job?.job_id,
    task_type: "face_detection",
    status: "completed",
    sha256: await sha256Of(await Deno.readFile(image)),
    model: job?.model,
    timings_ms: job?.timings_ms,
    result: FACES,
  });
});

Deno.test("--json has a line for each picture, also for one that failed, with what is known of it", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = async (job) => {
    standIn.end(job, { status: "error", error_code: "worker_lost", error_message: "worker died" });
    await standIn.publish(job);
  };
  const image = picture("horse.png");
  const { code, stdout } = await runClient("face-client", [
    ...["no-such.png", image, "--json", "--quiet"],
    ...at(standIn),
  ]);
  assert.equal(code, 5);
  const [missing, failed] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const nothing = { sha256: null, model: null, timings_ms: null, result: null };
  assert.deepEqual(missing, {
    file: "no-such.png",
    media_store_id: null,
    job_id: null,
    task_type: "face_detection",
    status: null,
    ...nothing,
    error_code: "usage",
    error_message: "there is no such file",
  });
  const [job] = standIn.jobs.values();
  assert.equal(failed.file, image);
  assert.equal(failed.media_store_id, 1);
  assert.equal(failed.job_id, job?.job_id);
  assert.equal(failed.status, "error");
  assert.equal(failed.error_code, "worker_lost");
  assert.match(failed.error_message, /worker died$/);

  const none = await runClient("face-client", ["no-such.png", "--json", ...at(standIn)]);
  assert.equal(none.code, 2);
  assert.equal(JSON.parse(none.stdout).error_code, "usage");
});

Deno.test("--no-results leaves stdout empty, and errors on stderr", async () => {
  await using standIn = await StandIn.start();
  const args = [picture("horse.png"), "no-such.png", ...at(standIn), "--quiet", "--no-results"];
  for (const json of [[], ["--json"]]) {
    const { code, stdout, stderr } = await runClient("face-client", [...args, ...json]);
    assert.equal(code, 5);
    assert.equal(stdout, "");
    assert.equal(stderr, "Cannot find faces in no-such.png: there is no such file\n");
  }
  assert.equal(standIn.jobs.size, 2);
});
