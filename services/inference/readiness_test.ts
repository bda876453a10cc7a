import assert from "node:assert/strict";
import { temporaryFolder } from "@fovea/testing";
import { openSqlite } from "@fovea/storage/sqlite";
import type { TaskInfo } from "@fovea/contract";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS, type Tables } from "./database/tables.ts";
import { type Needs, readinessChecks } from "./readiness.ts";
import { silent } from "./testing/open_jobs.ts";
import { stateRoutes } from "./routes/state.ts";
import type { PoolState } from "./workers/pool.ts";

const ready: TaskInfo = { task_type: "face_detection", state: "ready", model: null };
const workers: PoolState = {
  size: 2,
  alive: 2,
  busy: 0,
  restarts: { deadline: 0, died: 0, memory: 0, recycled: 0, cancelled: 0, canary: 0, stuck: 0 },
  unfit: {},
};

async function openReadiness(needs: Partial<Needs> = {}) {
  await using cleanup = new AsyncDisposableStack();
  const { path } = cleanup.use(await temporaryFolder());
  const file = `${path}/jobs.sqlite`;
  const db = cleanup.use(await openSqlite<Tables>(file, MIGRATIONS));
  const store = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(),
  );
  cleanup.use(store);
  const checks = readinessChecks({
    db,
    tasks: () => [ready],
    workers: () => workers,
    mediaStore: { url: `http://127.0.0.1:${store.addr.port}` },
    outage: () => null,
    storeTrouble: () => Promise.resolve(null),
    brokerTrouble: () => null,
    outbox: () => Promise.resolve({ pending: 0, oldestAgeMs: null }),
    ...needs,
  });
  const app = stateRoutes({
    info: () => {
      throw new Error("nobody asks");
    },
    checks,
    isBroker: true,
    log: silent,
  });
  const owned = cleanup.move();
  return {
    file,
    store,
    ask: async () => {
      const response = await app.request("/health/ready");
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("a locked database is named, and no longer once it is free", async () => {
  await using opened = await openReadiness();
  const other = new DatabaseSync(opened.file);
  other.exec("BEGIN IMMEDIATE");
  const { status, body } = await opened.ask();
  assert.deepEqual([status, body.status, body.checks.database.state], [
    503,
    "not ready",
    "failed",
  ]);
  assert.match(body.checks.database.detail, /locked/);
  other.exec("ROLLBACK");
  other.close();
  assert.equal((await opened.ask()).status, 200);
});

Deno.test("a media_store that can't be reached is named", async () => {
  await using opened = await openReadiness();
  await opened.store.shutdown();
  const { status, body } = await opened.ask();
  assert.equal(status, 503);
  assert.match(body.checks.media_store.detail, /can't be reached at http.*: connection refused/);
});

Deno.test("one unfit worker of two is named and degrades the service, two stop it", async () => {
  const unfit: Record<number, string> = { 2: "face_detection: it found 0 faces, not 1" };
  await using opened = await openReadiness({ workers: () => ({ ...workers, unfit }) });
  const one = await opened.ask();
  assert.deepEqual([one.status, one.body.status], [200, "degraded"]);
  assert.equal(
    one.body.checks.all_workers.detail,
    "worker 2: face_detection: it found 0 faces, not 1",
  );
  unfit[1] = "it did not answer within 20 s";
  const both = await opened.ask();
  assert.deepEqual([both.status, both.body.checks.workers.state], [503, "failed"]);
  assert.match(
    both.body.checks.workers.detail,
    /worker 1: it did not answer within 20 s; worker 2/,
  );
});

Deno.test("a service that is ready says so of everything", async () => {
  await using opened = await openReadiness();
  const { body } = await opened.ask();
  assert.equal(body.status, "ready");
  assert.deepEqual(Object.keys(body.checks), [
    "database",
    "models",
    "all_models",
    "workers",
    "all_workers",
    "media_store",
    "same_media_store",
    "broker",
  ]);
});
