/**
 * A further task is one file and one line: `testing/mean_colour.ts` is such a file, and
 * `testing/further_task.ts` has the line. All that the service does for tasks it does for this one.
 *
 * @module
 */
import type { Info, Item, JobEndedEvent, JobEvent } from "@fovea/contract";
import { asJson, type ServiceProcess, startService } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import { MODELS } from "@fovea/models";
import assert from "node:assert/strict";
import { subscribe } from "../testing/subscriber.ts";
import { TASKS } from "./list.ts";
import { TaskRegistry } from "./registry.ts";

const ASTRONAUT = new URL("../../../clients/images/astronaut.png", import.meta.url);

/** Red, green, blue, by ImageMagick's `convert astronaut.png -scale 1x1! txt:`. */
const MEAN_OF_ASTRONAUT = [141.6, 105.8, 96.5];

/** inference with the further task, beside a media_store that has one picture. */
async function start(): Promise<
  & AsyncDisposable
  & ReturnType<typeof clientOf>
  & { service: ServiceProcess; item: Item; get: (path: string) => Promise<Response> }
> {
  await using cleanup = new AsyncDisposableStack();
  const mediaStore = cleanup.use(await startService("media_store"));
  const service = cleanup.use(
    await startService("further_task_inference", { ...BARE, MEDIA_STORE_URL: mediaStore.url }),
  );
  await untilReady(service);
  const client = clientOf(mediaStore.url, service.url);
  const item = await client.upload(await Deno.readFile(ASTRONAUT), "astronaut.png");
  const owned = cleanup.move();
  return {
    service,
    ...client,
    item,
    get: (path) => fetch(`${service.url}${path}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("a job of a further task goes from its POST to its event and its result", async () => {
  await using started = await start();
  const { service, item, get } = started;

  const info: Info = await started.info();
  assert.deepEqual(info.tasks.map(({ task_type, state }) => [task_type, state]), [
    ["image_embedding", "ready"],
    ["face_detection", "ready"],
    ["mean_colour", "ready"],
  ]);
  const model = info.tasks[2]?.model;
  assert.deepEqual([model?.name, model?.semantic], ["mean_colour", true]);
  assert.match(model?.backend ?? "", /^fovea-inference \d/);

  await using subscriber = await subscribe(info.mqtt_url, "inference/#");
  const body = { media_store_id: item.id, decimals: 1 };
  const { job_id } = await started.submit("mean_colour", body);
  const topic = `inference/job/${job_id}/completed`;
  const { payload } = await subscriber.until((message) => message.topic === topic);
  const ended: JobEndedEvent & { brightness?: number } = JSON.parse(payload);
  assert.deepEqual(
    [ended.event, ended.task_type, ended.media_store_id, ended.brightness],
    ["job_completed", "mean_colour", item.id, 115],
  );
  const steps = subscriber.heard.filter((message) => message.topic === "inference/events")
    .map((message): JobEvent => JSON.parse(message.payload));
  assert.ok(steps.some(({ event, data }) => event === "job_started" && data.job_id === job_id));

  const job = await started.job(job_id);
  const { colour } = job.result as unknown as { colour: number[] };
  const apart = colour.map((value, i) => Math.abs(value - MEAN_OF_ASTRONAUT[i]!));
  assert.ok(colour.length === 3 && apart.every((value) => value < 1), `${colour}`);
  assert.deepEqual([job.status, job.model?.name, job.sha256], [
    "completed",
    "mean_colour",
    item.sha256,
  ]);
  // The same question has the same job; other options are another question.
  assert.equal((await started.submit("mean_colour", body)).job_id, job_id);
  assert.notEqual(
    (await started.submit("mean_colour", { ...body, decimals: 2 })).job_id,
    job_id,
  );

  const refused = await fetch(`${service.url}/job/mean_colour`, asJson({ ...body, decimals: 9 }));
  const refusal = await refused.json();
  assert.deepEqual([refused.status, refusal.code], [422, "malformed_body"]);
  assert.match(refusal.detail, /decimals/);
  const unknown = await (await fetch(`${service.url}/job/colours`, asJson(body))).json();
  assert.match(unknown.detail, /image_embedding, face_detection and mean_colour are known/);

  const listed = await (await get("/job/?task_type=mean_colour")).json();
  assert.equal(listed.pagination.total_items, 2);
  const stats = await (await get("/admin/stats")).json();
  assert.equal(stats.queue.oldest_pending_ms.mean_colour, null);
  assert.match(
    await (await get("/metrics")).text(),
    /inference_jobs_submitted_total\{task="mean_colour"\} 2/,
  );
});

Deno.test("the API's document has the further task, its options and its result", async () => {
  await using started = await start();
  const document = await (await started.get("/openapi.json")).json();
  const { post } = document.paths["/job/{task_type}"];
  assert.match(JSON.stringify(post.parameters), /"face_detection","mean_colour"/);
  assert.match(post.description, /`decimals` is for mean_colour alone/);
  const schema = post.requestBody.content["application/json"].schema;
  assert.deepEqual(schema.properties.decimals, { type: "integer", minimum: 0, maximum: 3 });
  assert.deepEqual(document.components.schemas.MeanColourResult.required, ["colour", "brightness"]);
  assert.match(JSON.stringify(document.components.schemas.Job), /MeanColourResult/);
});

Deno.test("no two tasks have one name, and none comes after schemas were made", () => {
  const [task] = TASKS.all;
  const registry = new TaskRegistry([task!]);
  assert.throws(() => registry.add(task!), /image_embedding is registered already/);
  assert.deepEqual(registry.types, ["image_embedding"]);
  assert.throws(() => registry.add({ ...task!, type: "late" }), /late is registered too late/);
});

Deno.test("each model is of a task that there is, and is chosen by that task's setting", () => {
  for (const { name, task_type, setting } of MODELS) {
    const { modelSetting } = TASKS.get(task_type);
    assert.ok(modelSetting !== null, name);
    if (setting !== undefined) assert.equal(setting, modelSetting, name);
  }
});
