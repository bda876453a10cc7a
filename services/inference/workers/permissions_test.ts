import { MODELS_DIR, testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { workerPermissions } from "../permissions.ts";
import { silent } from "../testing/open_jobs.ts";
import { WorkerPool } from "./pool.ts";

const astronaut = await Deno.readFile(
  new URL("../../../clients/images/astronaut.png", import.meta.url),
);

/** A pool with the permissions of the service's own, and a media_store of one picture. */
function openPool(script?: URL) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(astronaut),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const pool = new WorkerPool({
    size: 1,
    settings: {
      source: { url, maxBytes: 50 << 20 },
      maxPixels: 50_000_000,
      backend: "wasm",
      shrinkWhileDecoding: true,
    },
    permissions: workerPermissions({
      MODELS_DIR,
      MEDIA_STORE_URL: url,
      INFERENCE_BACKEND: "wasm",
    }),
    towers: null,
    deadlineMs: 60_000,
    idleMs: 60_000,
    log: silent,
    onFree: () => {},
    ...script !== undefined && { script },
  });
  return {
    pool,
    [Symbol.asyncDispose]: async () => {
      pool.close();
      await server.shutdown();
    },
  };
}

const job = { task: "face_detection", entityId: 1, options: {} } as const;

Deno.test("a worker writes nothing, runs nothing, and reaches nobody but media_store", async () => {
  await using opened = openPool(new URL("../testing/trespassing_worker.ts", import.meta.url));
  const outcome = await opened.pool.run(job);
  assert.ok(!outcome.ok);
  assert.deepEqual(JSON.parse(outcome.detail), {
    "write a file": "NotCapable",
    "write a temporary file": "NotCapable",
    "read the host's users": "NotCapable",
    "read a variable": "NotCapable",
    "run a program": "NotCapable",
    "ask who runs it": "NotCapable",
    "call another host": "NotCapable",
    "listen": "NotCapable",
    "load a library": "NotCapable",
    "call media_store": "done",
    "read its own files": "done",
  });
});

Deno.test("what a worker may do is enough for each task", async () => {
  await using opened = openPool();
  for (
    const [task, name] of [
      ["face_detection", "ultraface-rfb-320"],
      ["image_embedding", "fixture"],
    ] as const
  ) {
    await opened.pool.load(task, await testModel(task, name));
    const outcome = await opened.pool.run({ ...job, task });
    assert.ok(outcome.ok, JSON.stringify(outcome));
  }
});
