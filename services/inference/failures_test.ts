/**
 * What FAILURES.md says, made to happen to the service as a process.
 *
 * @module
 */
import {
  asJson,
  runServiceToEnd,
  startService,
  temporaryFolder,
  testNeeding,
  tmpfs,
  within,
} from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { subscribe } from "./testing/subscriber.ts";
import { pause, readiness, statusOf, submit, untilSaid, untilStatus } from "./testing/started.ts";

const PICTURE = await Deno.readFile(new URL("../../clients/images/camera.png", import.meta.url));

/** A media_store that answers as it is told, on a port that stays the same. */
function standIn(answer: (request: Request) => Response | Promise<Response>, port = 0) {
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, answer);
  return {
    port: server.addr.port,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("each wrong answer of media_store ends its own job, and the same worker does the next", async () => {
  const circle = (request: Request) =>
    new Response(null, { status: 302, headers: { Location: request.url } });
  const page = () => new Response("<html>log in", { headers: { "Content-Type": "text/html" } });
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      }),
    );
  const cases: [code: string, answer: (request: Request) => Response][] = [
    ["entity_not_found", () => Response.json({ code: "entity_not_found" }, { status: 404 })],
    ["media_store_error", () => new Response("out of order", { status: 500 })],
    ["media_store_error", page],
    ["media_store_error", circle],
    ["upload_too_large", endless],
    ["image_truncated", () => new Response(PICTURE.slice(0, PICTURE.length >> 1))],
    ["image_unreadable", () => new Response("no picture")],
  ];
  await using store = standIn((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health/ready" || pathname === "/entity/") return Response.json({});
    const entity = Number(pathname.split("/")[2]);
    if (request.method === "POST") return Response.json({}, { status: 202 });
    return cases[entity - 1]?.[1](request) ?? new Response(PICTURE);
  });
  await using service = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: store.url,
    MAX_UPLOAD_BYTES: "1000000",
  });
  await untilReady(service);
  const jobs = [];
  for (const [i] of cases.entries()) jobs.push(await submit(service, i + 1));
  const good = await submit(service, cases.length + 1);
  await untilStatus(service, good.job_id, "completed");
  for (const [i, { job_id }] of jobs.entries()) {
    const job = await untilStatus(service, job_id, "error");
    assert.equal(job.error_code, cases[i]![0], job.error_message ?? "");
    assert.equal(job.attempt, job.error_code === "media_store_error" ? 3 : 1);
  }
  const after = await submit(service, cases.length + 1);
  await untilStatus(service, after.job_id, "completed");
});

Deno.test("while media_store is away jobs and results wait, which is said once, and all go on when it is back", async () => {
  const { port, ...nobody } = standIn(() => new Response());
  await nobody[Symbol.asyncDispose]();
  const env = { ...BARE, MEDIA_STORE_URL: `http://127.0.0.1:${port}`, INFERENCE_WORKERS: "2" };
  await using real = await startService("inference", env);
  await using empty = await startService("empty_inference", env);
  await untilReady(real);
  const waiting: string[] = [];
  for (let i = 0; i < 100; i++) waiting.push((await submit(real, 1)).job_id);
  const found = await submit(empty, 1);

  await untilSaid(real, "media_store", /can't be reached.*connection refused: jobs wait/);
  assert.equal(await statusOf(`${real.url}/health/ready`), 503);
  const unsynced = await untilStatus(empty, found.job_id, "sync_failed");
  assert.equal(unsynced.error_code, "media_store_unreachable");
  assert.notEqual(unsynced.result, null);
  const { by_status } = await (await fetch(`${real.url}/admin/stats`)).json();
  assert.equal(by_status.pending, 100);

  const received = Promise.withResolvers<string>();
  await using _back = standIn(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health/ready" || pathname === "/entity/") return Response.json({});
    if (request.method !== "POST") return new Response(PICTURE);
    received.resolve((await request.json()).job_id);
    return Response.json({ status: "accepted" }, { status: 202 });
  }, port);
  for (const id of waiting) {
    const job = await untilStatus(real, id, "completed", "error");
    assert.deepEqual([job.status, job.attempt], ["completed", 1]);
  }
  const said = real.log().filter(({ msg }) => /media_store is (away|back)/.test(msg));
  assert.deepEqual(said.map(({ level }) => level), ["warn", "info"]);
  const healed = await untilStatus(empty, found.job_id, "completed");
  assert.equal(healed.error_code, null);
  await within("the message", received.promise);
});

Deno.test("a media_store that does not let itself be read, or answers with pages, is away too", async () => {
  let answer: (() => Response) | undefined = () =>
    Response.json({ detail: "who are you?" }, { status: 401 });
  await using store = standIn((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health/ready") return Response.json({});
    if (answer !== undefined) return answer();
    return pathname === "/entity/" ? Response.json({}) : new Response(PICTURE);
  });
  await using service = await startService("inference", { ...BARE, MEDIA_STORE_URL: store.url });
  await untilReady(service);
  const { job_id } = await submit(service, 1);
  await untilSaid(service, "media_store", /answered 401 to \/entity.*who are you\?: jobs wait/);
  answer = () => new Response("<html>log in", { headers: { "Content-Type": "text/html" } });
  await pause(2000);
  assert.equal((await clientOf("", service.url).job(job_id)).status, "pending");
  answer = undefined;
  assert.equal((await untilStatus(service, job_id, "completed")).attempt, 1);
});

Deno.test("a picture that ends media_store each time ends its job, and the others are done", async () => {
  const OUTAGE_MS = 1500;
  const DEADLY = 13;
  let awayUntil = 0;
  let ends = 0;
  await using store = standIn((request) => {
    const { pathname } = new URL(request.url);
    if (Date.now() < awayUntil) return new Response("starting", { status: 503 });
    if (pathname === "/health/ready" || pathname === "/entity/") return Response.json({});
    if (request.method === "POST") return Response.json({}, { status: 202 });
    if (pathname !== `/entity/${DEADLY}/image`) return new Response(PICTURE);
    ends++;
    awayUntil = Date.now() + OUTAGE_MS;
    return new Response(new ReadableStream({ start: (body) => body.error(new Error("ended")) }));
  });
  await using service = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: store.url,
    INFERENCE_WORKERS: "2",
  });
  await untilReady(service);
  const before = await submit(service, 1);
  const deadly = await submit(service, DEADLY);
  const after = await submit(service, 2);
  const job = await untilStatus(service, deadly.job_id, "error");
  assert.equal(job.error_code, "poisoned");
  assert.match(job.error_message!, /media_store ended 4 times .* its picture may be why/);
  assert.equal(ends, 4);
  for (const { job_id } of [before, after]) {
    assert.equal((await untilStatus(service, job_id, "completed", "error")).status, "completed");
  }
});

Deno.test("what is under way at three kills of the service is worked on once more, alone, and then the others", async () => {
  const late = Promise.withResolvers<void>();
  let answer: () => Response | Promise<Response> = () => late.promise.then(() => new Response());
  await using store = standIn((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health/ready" || pathname === "/entity/") return Response.json({});
    return request.method === "POST" ? Response.json({}) : answer();
  });
  await using folder = await temporaryFolder();
  const env = { ...BARE, MEDIA_STORE_URL: store.url, DATA_DIR: folder.path };
  let id: string | undefined;
  for (let end = 1; end <= 3; end++) {
    await using service = await startService("inference", env);
    id ??= (await submit(service, 1)).job_id;
    await untilStatus(service, id, "processing");
    await service.kill("SIGKILL");
  }
  answer = () => new Response(PICTURE);
  late.resolve();
  await using service = await startService("inference", env);
  const beside = await submit(service, 2, { priority: 10 });
  const job = await untilStatus(service, id!, "completed", "error");
  assert.deepEqual([job.status, job.attempt], ["completed", 1]);
  // Whatever its priority, it came after the one that was worked on alone.
  const after = await untilStatus(service, beside.job_id, "completed");
  assert.ok(after.started_at! >= job.completed_at!);
});

testNeeding(
  [tmpfs],
  "on a full disk jobs are refused by name, and none that was taken is lost",
  async () => {
    await using disk = await tmpfs.mount(12);
    const filler = `${disk.path}/filler`;
    await Deno.writeFile(filler, new Uint8Array(10 * 1024 * 1024));
    await using service = await startService("empty_inference", {
      ...BARE,
      DATA_DIR: disk.path,
    });
    const taken: string[] = [];
    let refusal: Response;
    do {
      refusal = await fetch(
        `${service.url}/job/face_detection`,
        asJson({ media_store_id: 1, force: true }),
      );
      if (refusal.ok) taken.push((await refusal.json()).job_id);
    } while (refusal.ok);
    assert.equal(refusal.status, 507);
    assert.equal((await refusal.json()).code, "storage_full");
    await untilSaid(service, "database", /full/);
    assert.equal(await statusOf(`${service.url}/health/ready`), 503);

    await Deno.remove(filler);
    for (const id of taken) {
      const job = await untilStatus(service, id, "completed", "sync_failed");
      assert.notEqual(job.result, null);
    }
    await untilStatus(service, (await submit(service, 1)).job_id, "completed", "sync_failed");
    assert.notEqual((await readiness(service)).checks.database?.state, "failed");
    const { mqtt_url } = await clientOf("", service.url).info();
    await using late = await subscribe(mqtt_url, "inference/job/+/completed");
    const missing = new Set(taken);
    await late.until(() => {
      for (const { payload } of late.heard) missing.delete(JSON.parse(payload).job_id);
      return missing.size === 0;
    });
  },
);

Deno.test("a second process on the same folder does not start, and names the first", async () => {
  await using first = await startService("empty_inference", BARE);
  const second = await runServiceToEnd("inference", { ...BARE, DATA_DIR: first.dataDir });
  assert.equal(second.code, 2);
  assert.match(second.stderr, new RegExp(`another inference, process ${first.pid}, uses `));
});

Deno.test("jobs of a newer version are not touched by an older one, which says so", async () => {
  await using first = await startService("empty_inference", BARE);
  await first.kill("SIGTERM");
  {
    using db = new DatabaseSync(`${first.dataDir}/inference/inference.sqlite`);
    db.exec("INSERT INTO kysely_migration VALUES ('9999_of_the_future', '2030-01-01')");
  }
  const { code, stderr } = await runServiceToEnd("inference", { ...BARE, DATA_DIR: first.dataDir });
  assert.equal(code, 2);
  assert.match(stderr, /newer version of this service, which knows of 9999_of_the_future/);
});
