/**
 * The first download, as operators and clients see it.
 *
 * @module
 */
import type { Info, TaskInfo } from "@fovea/contract";
import { type Fault, patterned, serveFile } from "@fovea/models/testing/file_server";
import { endOf, type ServiceProcess, startService, temporaryFolder, until } from "@fovea/testing";
import { testModel } from "@fovea/testing/models";
import { clientOf, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const { path, name } = await testModel("face_detection", "ultraface-rfb-320");
const model = await Deno.readFile(path);

/** What a service's processes write is read all the while, by no test in particular. */
const served = { sanitizeOps: false, sanitizeResources: false };

/** inference that has no model for faces yet, a mirror with these faults to get it from, and a store. */
async function startFetching(faults: Fault[], env: Record<string, string> = {}) {
  await using cleanup = new AsyncDisposableStack();
  const mirror = cleanup.use(serveFile(model, faults));
  const models = cleanup.use(await temporaryFolder());
  const mediaStore = cleanup.use(await startService("media_store"));
  const start = async () =>
    await startService("inference", {
      FACE_MODEL: name,
      EMBEDDING_MODEL: "fixture",
      INFERENCE_WORKERS: "1",
      MODELS_DIR: models.path,
      MODEL_MIRROR: mirror.url,
      MEDIA_STORE_URL: mediaStore.url,
      // Nothing listens there: the mirror is the only source.
      npm_config_registry: "http://127.0.0.1:9/",
      HTTPS_PROXY: "http://127.0.0.1:9",
      ...env,
    });
  const inference = cleanup.use(await start());
  const owned = cleanup.move();
  return { mirror, models, inference, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function faces(inference: ServiceProcess): Promise<TaskInfo> {
  const info: Info = await (await fetch(`${inference.url}/info`)).json();
  return info.tasks.find(({ task_type }) => task_type === "face_detection")!;
}

async function readiness(inference: ServiceProcess) {
  return await (await fetch(`${inference.url}/health/ready`)).json();
}

Deno.test(
  "a first download that stalls, breaks and finds its hub away comes all the same, and jobs wait",
  served,
  async () => {
    await using fetching = await startFetching([
      { after: { bytes: 400_000, then: "stall" } },
      ...Array<Fault>(4).fill({ after: { bytes: 1000, then: "break" } }),
      ...Array<Fault>(3).fill({ status: 503 }),
      { after: { bytes: 1000, then: "break" } },
    ]);
    const { inference, mirror } = fetching;
    const waiting = await clientOf("", inference.url).submit("face_detection", {
      media_store_id: 1,
    });
    const coming = await until("how far the model has come", async () => {
      const task = await faces(inference);
      return task.progress !== undefined && task.progress.bytes >= 400_000 ? task : undefined;
    });
    assert.equal(coming.state, "preparing");
    assert.deepEqual(coming.progress, {
      bytes: 400_000,
      total_bytes: 1_217_758,
      seconds_left: coming.progress?.seconds_left,
    });
    assert.match(coming.detail!, /^fetching ultraface-rfb-320: 0\.4 of 1\.2 MB are there/);
    const { checks } = await readiness(inference);
    assert.match(checks.all_models.detail, /0\.4 of 1\.2 MB are there/);

    mirror.breakStalled();
    const away = await until("that the hub is away", async () => {
      const task = await faces(inference);
      return task.detail?.includes("503") ? task : undefined;
    });
    assert.match(away.detail!, /MODEL_MIRROR \(answered 503\).*; trying again (in \d+ s|now)$/);
    assert.equal(away.state, "preparing");
    const task = await until("the model", async () => {
      const task = await faces(inference);
      return task.state === "preparing" ? undefined : task;
    });
    assert.deepEqual([task.state, task.detail, task.progress], ["ready", undefined, undefined]);
    // Each request goes on where the one before broke, to the last.
    assert.equal(mirror.ranges.length, 10);
    assert.equal(mirror.ranges.at(-1), "bytes=405000-");
    const job = await until("the end of the job", async () => {
      const job = await clientOf("", inference.url).job(waiting.job_id);
      return job.status === "error" ? job : undefined;
    });
    assert.equal(job.error_code, "entity_not_found");
    const warned = inference.log().find(({ msg }) => /can't be fetched: trying again/.test(msg));
    assert.match(String(warned?.reason), /Cannot fetch the model ultraface-rfb-320 from MODEL_M/);
  },
);

Deno.test(
  "a model that every source refuses ends its jobs, with what to do",
  served,
  async () => {
    await using registry = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => Response.json({ error: "not found" }, { status: 404 }),
    );
    const wrong = { content: patterned(model.length) };
    await using fetching = await startFetching(Array(9).fill(wrong), {
      npm_config_registry: `http://127.0.0.1:${registry.addr.port}/`,
    });
    const { inference, mirror } = fetching;
    const { submit, job } = clientOf("", inference.url);
    const waiting = await submit("face_detection", { media_store_id: 1 });
    const ended = await until("the end of the job", async () => {
      const seen = await job(waiting.job_id);
      return seen.status === "pending" ? undefined : seen;
    });
    assert.equal(ended.error_code, "model_unavailable");
    assert.match(
      ended.error_message!,
      /ultraface_rfb_320\.onnx has sha256 .*, expected 6c0256.*: put .* into MODELS_DIR, or set MODEL/,
    );
    assert.equal(mirror.ranges.length, 3);
    assert.equal((await faces(inference)).state, "unavailable");
  },
);

Deno.test("a hub may redirect to a host that no setting names", served, async () => {
  await using other = serveFile(model);
  const elsewhere = other.url.replace("127.0.0.1", "localhost");
  await using fetching = await startFetching([{ redirect: `${elsewhere}/cdn` }]);
  await untilReady(fetching.inference);
  assert.equal((await faces(fetching.inference)).state, "ready");
  assert.equal(other.ranges.length, 1);
});

/** What `ps` says of processes; Deno itself lets only a process with all permissions read /proc. */
async function ps(...args: string[]): Promise<string[]> {
  const { stdout } = await endOf("ps", { args: ["-ww", ...args] });
  return stdout.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** The processes in which a service fetches models, with their command lines. */
async function fetchersOf({ pid }: ServiceProcess): Promise<{ pid: number; command: string }[]> {
  const children = await ps("-o", "pid=,args=", "--ppid", String(pid));
  return children.filter((line) => line.includes("models/child_process/main.ts")).map((line) => {
    const [, id, command] = /^(\d+) +(.*)$/.exec(line)!;
    return { pid: Number(id), command: `${command} ` };
  });
}

/** A zombie has ended, and only waits for somebody to hear of it. */
async function isAlive(pid: number): Promise<boolean> {
  const [state = "Z"] = await ps("-o", "stat=", "-p", String(pid));
  return !state.startsWith("Z");
}

Deno.test("what fetches may write models only, and ends with a service that is killed", {
  ...served,
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using fetching = await startFetching([{ after: { bytes: 1000, then: "stall" } }]);
  const { inference, models } = fetching;
  await until("bytes", async () => (await faces(inference)).progress);
  const fetchers = await fetchersOf(inference);
  assert.ok(fetchers.length > 0);
  for (const { command } of fetchers) {
    assert.match(command, new RegExp(` --allow-write=${models.path} `));
    assert.doesNotMatch(command, /--allow-(all|run|ffi|sys)|-A /);
  }
  await inference.kill("SIGKILL");
  for (const { pid } of fetchers) {
    await until("the end of what fetches", async () => await isAlive(pid) ? undefined : true);
  }
});

Deno.test("what fetches is followed by another where it dies", {
  ...served,
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using fetching = await startFetching([{ after: { bytes: 1000, then: "stall" } }]);
  const { inference, mirror } = fetching;
  await until("bytes", async () => (await faces(inference)).progress);
  for (const { pid } of await fetchersOf(inference)) Deno.kill(pid, "SIGKILL");
  await untilReady(inference);
  assert.equal((await faces(inference)).state, "ready");
  assert.deepEqual(mirror.ranges, [null, "bytes=1000-"]);
});

Deno.test("a service that waits for a hub ends when it is asked to", served, async () => {
  await using fetching = await startFetching(Array(99).fill({ status: 503 }));
  const { inference } = fetching;
  await until("a failed try", async () => (await faces(inference)).detail);
  const began = performance.now();
  const { code } = await inference.kill("SIGTERM");
  assert.equal(code, 0);
  assert.ok(performance.now() - began < 5000, "it took longer than 5 s");
  const ofFaces = inference.log().filter(({ task }) => task === "face_detection");
  assert.ok(!ofFaces.some(({ level }) => level === "error"));
});
