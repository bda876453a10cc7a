import { until, within } from "@fovea/testing";
import type { FaceDetectionResult } from "@fovea/contract";
import { testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import process from "node:process";
import { refusal, silent } from "../testing/open_jobs.ts";
import type { Outcome } from "./messages.ts";
import { type PoolOptions, WorkerPool } from "./pool.ts";

const astronaut = await Deno.readFile(
  new URL("../../../clients/images/astronaut.png", import.meta.url),
);
const model = await testModel("face_detection", "ultraface-rfb-320");

const faces = (entityId: number) => ({ task: "face_detection", entityId, options: {} }) as const;

const codeOf = (outcome: Outcome) => outcome.ok ? "ok" : outcome.code;

const misbehaving = new URL("../testing/misbehaving_worker.ts", import.meta.url);

/** Answers by the entity's id: 1 a picture, 2 nothing ever, 3 no picture, and 404 to all else. */
function pictures() {
  const hanging = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    switch (new URL(request.url).pathname) {
      case "/entity/1/image":
        return new Response(astronaut);
      case "/entity/2/image":
        asked.resolve();
        return hanging.promise;
      case "/entity/3/image":
        return new Response("<html>I am a login page</html>");
      default:
        return Response.json({ code: "entity_not_found" }, { status: 404 });
    }
  });
  return {
    /** Resolves when the picture that never comes was asked for. */
    asked: asked.promise,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: async () => {
      hanging.resolve(new Response());
      await server.shutdown();
    },
  };
}

async function poolOf(size: number, url: string, options: Partial<PoolOptions> = {}) {
  let onFree = () => {};
  const pool = new WorkerPool({
    size,
    settings: {
      source: { url, maxBytes: 50 << 20 },
      maxPixels: 50_000_000,
      backend: "wasm",
      shrinkWhileDecoding: true,
    },
    towers: null,
    deadlineMs: 60_000,
    idleMs: 60_000,
    log: silent,
    onFree: () => onFree(),
    ...options,
  });
  try {
    await pool.load("face_detection", model);
  } catch (error) {
    pool.close();
    throw error;
  }
  const free = () => {
    const isFree = Promise.withResolvers<void>();
    onFree = () => {
      if (pool.free > 0) isFree.resolve();
    };
    onFree();
    return within("a worker that is free", isFree.promise);
  };
  return { pool, free, [Symbol.dispose]: () => pool.close() };
}

Deno.test("a worker takes an entity's id and gives the faces of its picture", async () => {
  await using store = pictures();
  using opened = await poolOf(1, store.url);
  const outcome = await opened.pool.run(faces(1));
  assert.ok(outcome.ok, JSON.stringify(outcome));
  assert.equal((outcome.result as FaceDetectionResult).face_count, 1);
  for (const stage of ["fetch", "decode", "infer"] as const) {
    assert.ok(outcome.timingsMs[stage] > 0);
  }
});

Deno.test("each worker serves a job of its own at the same time", async () => {
  await using store = pictures();
  using opened = await poolOf(2, store.url);
  const first = opened.pool.run(faces(1));
  assert.equal(opened.pool.free, 1);
  const second = opened.pool.run(faces(1));
  assert.equal(opened.pool.free, 0);
  for (const outcome of await Promise.all([first, second])) assert.equal(outcome.ok, true);
});

Deno.test("jobs that were asked for while a model came to be loaded wait, and no worker too many comes up", async () => {
  using opened = await poolOf(2, "", { script: misbehaving });
  const { pool } = opened;
  await pool.run(faces(1));
  const { free } = pool;
  assert.equal(free, 2);
  // As the dispatcher does, which begins jobs in the database before it gives them to workers.
  const loading = pool.load("image_embedding", { ...model, name: "slow" });
  const outcomes = [pool.run(faces(1)), pool.run(faces(8)), pool.run(faces(1))];
  assert.deepEqual([pool.state.alive, pool.free], [2, 0]);
  await loading;
  assert.deepEqual((await Promise.all(outcomes)).map(codeOf), ["ok", "ok", "ok"]);
  assert.deepEqual([pool.state.alive, pool.free], [2, 2]);
});

Deno.test("a job that waits for a worker can be cancelled, and ends with the pool", async () => {
  using opened = await poolOf(1, "", { script: misbehaving });
  const { pool } = opened;
  const cancel = new AbortController();
  const busy = pool.run(faces(5));
  const [cancelled, waiting] = [pool.run(faces(1), cancel.signal), pool.run(faces(1))];
  cancel.abort();
  assert.equal(codeOf(await cancelled), "cancelled");
  pool.close();
  assert.deepEqual([await busy, await waiting, await pool.run(faces(1))].map(codeOf), [
    "worker_lost",
    "worker_lost",
    "worker_lost",
  ]);
});

Deno.test("a job waits for the worker in place of one that died", async () => {
  using opened = await poolOf(1, "", { script: misbehaving });
  const { pool } = opened;
  const [dying, waiting] = [pool.run(faces(3)), pool.run(faces(1))];
  assert.deepEqual([await dying, await waiting].map(codeOf), ["worker_lost", "ok"]);
  assert.equal(pool.state.alive, 1);
});

Deno.test("a worker that dies or closes itself with nothing to do is missed at once, and replaced", async () => {
  for (const [entityId, said] of [[9, /out of luck/], [10, /close was called/]] as const) {
    using opened = await poolOf(1, "", { script: misbehaving, replacementPauseMs: 300 });
    const { pool, free } = opened;
    assert.equal(codeOf(await pool.run(faces(entityId))), "ok");
    const from = performance.now();
    await until("the end of the worker", () => pool.state.alive === 0);
    assert.ok(performance.now() - from < 2000, "noticed late");
    assert.equal(pool.state.restarts.died, 1);
    assert.match(pool.state.unfit[1]!, said);
    assert.equal(pool.free, 0);
    await free();
    assert.deepEqual([pool.state.alive, pool.state.unfit], [1, {}]);
    assert.equal(codeOf(await pool.run(faces(1))), "ok");
  }
});

Deno.test("a picture that can't be had or read fails its job by name and costs no worker", async () => {
  await using store = pictures();
  using opened = await poolOf(1, store.url);
  assert.equal(codeOf(await opened.pool.run(faces(3))), "image_unreadable");
  assert.equal(codeOf(await opened.pool.run(faces(4))), "entity_not_found");
  assert.equal(codeOf(await opened.pool.run(faces(1))), "ok");
});

Deno.test("a media_store that is not there is a failure that may pass", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using opened = await poolOf(1, `http://127.0.0.1:${port}`);
  const outcome = await opened.pool.run(faces(1));
  assert.ok(!outcome.ok);
  assert.equal(outcome.code, "media_store_unreachable");
  assert.match(outcome.detail, /connection refused/);
});

Deno.test("a worker that waits for its picture past the deadline is ended, and the next job is served", async () => {
  await using store = pictures();
  using opened = await poolOf(1, store.url, { deadlineMs: 3000 });
  const outcome = await opened.pool.run(faces(2));
  assert.ok(!outcome.ok);
  assert.equal(outcome.code, "deadline_exceeded");
  assert.match(outcome.detail, /longer than 3 s/);
  assert.equal((await opened.pool.run(faces(1))).ok, true);
});

Deno.test("a worker that computes for ever or dies costs its own job only", async () => {
  using opened = await poolOf(2, "", { script: misbehaving, deadlineMs: 300 });
  const { pool } = opened;
  const hanging = pool.run(faces(2));
  assert.equal((await pool.run(faces(1))).ok, true);
  const overrun = await hanging;
  assert.ok(!overrun.ok && overrun.code === "deadline_exceeded");

  const dying = await pool.run(faces(3));
  assert.ok(!dying.ok && dying.code === "worker_lost", JSON.stringify(dying));
  assert.match(dying.detail, /out of luck/);
  for (let i = 0; i < 4; i++) assert.equal((await pool.run(faces(1))).ok, true);
});

Deno.test("a worker that has outgrown its memory is ended after its job, which counts", async () => {
  using opened = await poolOf(1, "", { script: misbehaving });
  assert.equal((await opened.pool.run(faces(4))).ok, true);
  assert.equal(opened.pool.state.alive, 0);
  assert.equal((await opened.pool.run(faces(1))).ok, true);
  assert.equal(opened.pool.state.alive, 1);
});

Deno.test("how much a worker may grow follows from the size of the pictures that are allowed", async () => {
  const settings = (maxPixels: number) => ({
    source: { url: "", maxBytes: 50 << 20 },
    maxPixels,
    backend: "wasm" as const,
    shrinkWhileDecoding: true,
  });
  // It grows by 100 MB.
  for (const [maxPixels, alive] of [[5_000_000, 0], [8_000_000, 1]] as const) {
    using opened = await poolOf(1, "", { script: misbehaving, settings: settings(maxPixels) });
    assert.equal((await opened.pool.run(faces(11))).ok, true);
    assert.equal(opened.pool.state.alive, alive, `${maxPixels} pixels`);
  }
});

Deno.test("a worker that is ended at its deadline gives its core back", async () => {
  using opened = await poolOf(1, "", { script: misbehaving, deadlineMs: 300 });
  assert.equal(codeOf(await opened.pool.run(faces(2))), "deadline_exceeded");
  const busy = async () => {
    const { user } = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return (process.cpuUsage().user - user) / 1e6;
  };
  // A thread that computes takes at least a quarter of a core from others who want it too.
  await until("the worker to compute no more", async () => await busy() <= 0.05);
});

Deno.test("a worker that has grown is replaced when it has nothing to do, and not before", async () => {
  using opened = await poolOf(1, "", { script: misbehaving, recycleAfterMs: 300 });
  const { pool, free } = opened;
  for (let i = 0; i < 3; i++) assert.equal((await pool.run(faces(11))).ok, true);
  assert.deepEqual([pool.state.alive, pool.state.restarts.recycled], [1, 0]);
  await until("a worker in place of one that has grown", () => pool.state.restarts.recycled > 0);
  await free();
  assert.deepEqual([pool.state.alive, pool.free], [1, 1]);
  assert.equal((await pool.run(faces(1))).ok, true);
});

Deno.test("a cancelled job stops while its picture is fetched, and costs no worker", async () => {
  await using store = pictures();
  using opened = await poolOf(1, store.url);
  const cancel = new AbortController();
  const outcome = opened.pool.run(faces(2), cancel.signal);
  await within("a request of a picture", store.asked);
  cancel.abort();
  assert.equal(codeOf(await outcome), "cancelled");
  assert.equal(opened.pool.state.alive, 1);
  assert.equal((await opened.pool.run(faces(1))).ok, true);
});

Deno.test("a cancelled job that does not stop by itself is ended with its worker, and its neighbour goes on", async () => {
  using opened = await poolOf(2, "", { script: misbehaving });
  const { pool } = opened;
  const cancel = new AbortController();
  const [deaf, waiting] = [pool.run(faces(2), cancel.signal), pool.run(faces(5))];
  cancel.abort();
  assert.equal(codeOf(await deaf), "cancelled");
  assert.equal(pool.state.restarts.cancelled, 1);
  assert.equal((await pool.run(faces(1))).ok, true);
  pool.close();
  assert.equal(codeOf(await waiting), "worker_lost");
});

Deno.test("a worker that answers the canary wrongly, or not at all, is named and replaced", async () => {
  for (
    const [entityId, reason, said] of [
      [6, "canary", /face_detection: it found 0 faces, not 1/],
      [7, "stuck", /did not answer within 0\.2 s/],
    ] as const
  ) {
    using opened = await poolOf(1, "", {
      script: misbehaving,
      canaryIntervalMs: 0,
      canaryDeadlineMs: 200,
    });
    const { pool, free } = opened;
    await pool.run(faces(entityId));
    pool.checkHealth(0);
    await until(`a restart by ${reason}`, () => pool.state.restarts[reason] > 0);
    assert.match(pool.state.unfit[1]!, said);
    await free();
    assert.deepEqual(pool.state.unfit, {});
    assert.equal((await pool.run(faces(1))).ok, true);
  }
});

Deno.test("the canary is shown when its time has come, and then counts anew", async () => {
  using opened = await poolOf(1, "", { script: misbehaving, canaryIntervalMs: 60_000 });
  const { pool } = opened;
  await pool.run(faces(6));
  pool.checkHealth(0);
  assert.equal(pool.state.busy, 0, "shown before its time");
  assert.equal((await pool.run(faces(1))).ok, true);
});

Deno.test("the canary keeps no worker from its end, and brings up none", async () => {
  let wakes = 0;
  using opened = await poolOf(1, "", { script: misbehaving, canaryIntervalMs: 20, idleMs: 200 });
  const { pool } = opened;
  await until("the end of an idle worker", () => {
    pool.checkHealth(0);
    wakes++;
    return pool.state.alive === 0;
  });
  assert.ok(wakes > 1);
  pool.checkHealth(0);
  assert.deepEqual([pool.state.alive, pool.state.busy], [0, 0]);
  assert.deepEqual(pool.state.unfit, {});
});

Deno.test("a model that gives a wrong answer is not loaded", async () => {
  const script = new URL("../testing/mistaken_worker.ts", import.meta.url);
  await assert.rejects(
    poolOf(1, "", { script }),
    /model ultraface-rfb-320 gave a wrong answer: it found 0 faces, not 1/,
  );
});

Deno.test("workers without a job are ended, and come up again with the next one", async () => {
  await using store = pictures();
  using opened = await poolOf(2, store.url, { idleMs: 100 });
  await until("the end of idle workers", () => opened.pool.state.alive === 0);
  assert.equal(opened.pool.free, 2);
  assert.equal((await opened.pool.run(faces(1))).ok, true);
});

Deno.test("memory that WebAssembly has taken is reported with each job", async () => {
  const { wasmMemory } = await import("./wasm_memory.ts");
  const before = wasmMemory();
  new WebAssembly.Memory({ initial: 16 });
  assert.equal(wasmMemory() - before, 16 * 65_536);
});

Deno.test("a file that is no model is refused by name", async () => {
  await using store = pictures();
  using opened = await poolOf(1, store.url);
  const path = new URL("../../../clients/images/coffee.png", import.meta.url).pathname;
  const coffee = { name: "coffee", sha256: "", path };
  await assert.rejects(
    opened.pool.load("image_embedding", coffee),
    /model coffee can't be loaded: /,
  );
});

Deno.test("a model that a worker loads for ever is refused by name, and the next worker serves the others", async () => {
  using opened = await poolOf(1, "", { script: misbehaving, loadDeadlineMs: 3000 });
  const { pool } = opened;
  const refused = await refusal(pool.load("image_embedding", { ...model, name: "endless" }));
  assert.equal(refused.code, "model_unavailable");
  assert.equal(refused.message, "model endless can't be loaded: it took longer than 3 s");
  assert.equal(pool.state.restarts.stuck, 1);
  assert.equal((await pool.run(faces(1))).ok, true);
});
