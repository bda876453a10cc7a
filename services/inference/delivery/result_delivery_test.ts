import { openSqlite } from "@fovea/storage/sqlite";
import { temporaryFolder, until } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { EventTransactions } from "../jobs/event_transactions.ts";
import { MIGRATIONS, type Tables } from "../database/tables.ts";
import { silent } from "../testing/open_jobs.ts";
import { DeliveryRepository, enqueueDelivery } from "./repository.ts";
import { DELIVERY_PAUSE, ResultDelivery, TRIES_UNTIL_FAILED } from "./result_delivery.ts";

const SHA256 = "a".repeat(64);
const FACES = { faces: [], face_count: 0, image_width: 8, image_height: 9 };

interface Received {
  entity: number;
  token: string | null;
  body: Record<string, unknown>;
}

/** A media_store that can be made to answer otherwise, a database, and what delivers from one to the other. */
async function open() {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const db = await openSqlite<Tables>(`${folder.path}/jobs.sqlite`, MIGRATIONS);
  cleanup.defer(() => db.destroy());
  const clock = { now: 1_700_000_000_000 };
  const received: Received[] = [];
  const mediaStore = { status: (_entity: number): number | Promise<number> => 202, asked: 0 };
  const serve = (port: number) =>
    Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
      const entity = Number(new URL(request.url).pathname.split("/")[2]);
      mediaStore.asked++;
      const status = await mediaStore.status(entity);
      const body = await request.json();
      if (status === 202) {
        received.push({ entity, token: request.headers.get("Authorization"), body });
      }
      return Response.json(status === 202 ? { status: "accepted" } : { detail: "so" }, { status });
    });
  let server = serve(0);
  const { port } = server.addr;
  cleanup.defer(() => server.shutdown());
  const transactions = new EventTransactions({
    db,
    now: () => clock.now,
    runningMs: () => clock.now,
    newId: () => crypto.randomUUID(),
    onCommit: () => {},
  });
  const start = () =>
    new ResultDelivery({
      db,
      transactions,
      mediaStore: { url: `http://127.0.0.1:${port}`, token: () => Promise.resolve("t") },
      now: () => clock.now,
      random: () => 1,
      log: silent,
    });
  const owned = cleanup.move();
  return {
    db,
    clock,
    received,
    mediaStore,
    start,
    stopMediaStore: () => server.shutdown(),
    startMediaStore: () => void (server = serve(port)),
    /** A completed job of its own, whose result is to be delivered. */
    complete: async (
      entity: number,
      task: "face_detection" | "image_embedding" = "face_detection",
    ) => {
      const job_id = crypto.randomUUID();
      await db.transaction().execute(async (transaction) => {
        const job = await transaction.insertInto("job").values({
          job_id,
          task_type: task,
          media_store_id: entity,
          priority: 5,
          force: 1,
          options: "{}",
          status: "completed",
          created_at: clock.now,
          queued_at: clock.now,
          completed_at: clock.now,
          run_after: 0,
          attempt: 1,
          workers_lost: 0,
          model: JSON.stringify({ name: "m" }),
          sha256: SHA256,
          result: JSON.stringify(FACES),
        }).returningAll().executeTakeFirstOrThrow();
        await enqueueDelivery(transaction, job, clock.now);
      });
      return job_id;
    },
    job: (id: string) =>
      db.selectFrom("job").select(["status", "error_code", "error_message", "result"])
        .where("job_id", "=", id).executeTakeFirstOrThrow(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits until that many results are still to be delivered. */
async function untilPending(delivery: ResultDelivery, count: number): Promise<void> {
  await until(`${count} results to be pending`, async () => await delivery.pending() === count);
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Lets every pause pass until a job says that its result did not arrive. */
async function untilFailed(opened: Opened, delivery: ResultDelivery, id: string): Promise<void> {
  await until(`job ${id} to say that its result did not arrive`, async () => {
    opened.clock.now += DELIVERY_PAUSE.maxMs;
    delivery.wake();
    return (await opened.job(id)).status === "sync_failed";
  });
}

Deno.test("a face result arrives with its job, its model and the service's token", async () => {
  await using opened = await open();
  const job_id = await opened.complete(7);
  await opened.complete(8, "image_embedding");
  const delivery = opened.start();
  delivery.wake();
  await untilPending(delivery, 0);
  assert.deepEqual(opened.received, [{
    entity: 7,
    token: "Bearer t",
    body: {
      job_id,
      completed_at: opened.clock.now,
      model: { name: "m" },
      sha256: SHA256,
      ...FACES,
    },
  }]);
  assert.equal((await opened.job(job_id)).status, "completed");
  await delivery.close();
});

Deno.test("a result that fails is tried again after growing pauses, and then the job says so", async () => {
  await using opened = await open();
  opened.mediaStore.status = () => 500;
  const id = await opened.complete(7);
  const delivery = opened.start();
  delivery.wake();
  for (let attempt = 1; attempt <= TRIES_UNTIL_FAILED; attempt++) {
    assert.equal((await opened.job(id)).status, "completed");
    const row = () => opened.db.selectFrom("delivery").selectAll().executeTakeFirstOrThrow();
    await until(`attempt ${attempt}`, async () => (await row()).attempt === attempt);
    assert.equal((await row()).due_at - opened.clock.now, 1000 * 2 ** (attempt - 1));
    opened.clock.now = (await row()).due_at;
    delivery.wake();
  }
  await untilFailed(opened, delivery, id);
  const job = await opened.job(id);
  assert.equal(job.error_code, "media_store_error");
  assert.match(job.error_message!, /answered 500 to the faces of entity 7: so/);
  assert.deepEqual(JSON.parse(job.result!), FACES);

  opened.mediaStore.status = () => 202;
  opened.clock.now += DELIVERY_PAUSE.maxMs;
  delivery.wake();
  await until("the result to arrive", async () => (await opened.job(id)).status === "completed");
  assert.equal(opened.received.length, 1);
  assert.deepEqual((await opened.job(id)).error_message, null);
  await delivery.close();
});

Deno.test("when media_store is back, all that failed meanwhile is delivered, also after a restart", async () => {
  await using opened = await open();
  await opened.stopMediaStore();
  const ids: string[] = [];
  for (let entity = 1; entity <= 20; entity++) ids.push(await opened.complete(entity));
  const before = opened.start();
  for (const id of ids) await untilFailed(opened, before, id);
  assert.equal((await opened.job(ids[0]!)).error_code, "media_store_unreachable");
  await before.close();

  opened.startMediaStore();
  const after = opened.start();
  opened.clock.now += DELIVERY_PAUSE.maxMs;
  after.wake();
  await untilPending(after, 0);
  for (const id of ids) assert.equal((await opened.job(id)).status, "completed");
  assert.deepEqual(
    opened.received.map(({ entity }) => entity).sort((a, b) => a - b),
    [
      ...ids.keys(),
    ].map((i) => i + 1),
  );
  await after.close();
});

Deno.test("a media_store that answers again takes at once what waits for its next try", async () => {
  await using opened = await open();
  await opened.stopMediaStore();
  const waiting = await opened.complete(1);
  const delivery = opened.start();
  await untilFailed(opened, delivery, waiting);
  opened.startMediaStore();
  await opened.complete(2);
  delivery.wake();
  await untilPending(delivery, 0);
  assert.deepEqual(opened.received.map(({ entity }) => entity), [2, 1]);
  await delivery.close();
});

Deno.test("a result for an entity that is gone is dropped, and its job stays completed", async () => {
  await using opened = await open();
  opened.mediaStore.status = () => 404;
  const id = await opened.complete(7);
  const delivery = opened.start();
  delivery.wake();
  await untilPending(delivery, 0);
  assert.equal((await opened.job(id)).status, "completed");
  await delivery.close();
});

Deno.test("one result that is refused again and again holds up no other, and few go at once", async () => {
  await using opened = await open();
  let atOnce = 0;
  let most = 0;
  opened.mediaStore.status = async (entity) => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce--;
    return entity === 1 ? 500 : 202;
  };
  for (let entity = 1; entity <= 30; entity++) await opened.complete(entity);
  const delivery = opened.start();
  delivery.wake();
  await untilPending(delivery, 1);
  assert.equal(opened.received.length, 29);
  assert.equal(most, 4);
  await delivery.close();
});

Deno.test("a result under way when the service ends is tried again after the start", async () => {
  await using opened = await open();
  const answer = Promise.withResolvers<number>();
  opened.mediaStore.status = () => answer.promise;
  await opened.complete(7);
  const before = opened.start();
  before.wake();
  await until("a first request", () => opened.mediaStore.asked === 1);
  await before.close();
  answer.resolve(500);
  opened.mediaStore.status = () => 202;
  const after = opened.start();
  after.wake();
  await untilPending(after, 0);
  assert.equal(opened.received.length, 1);
  await after.close();
});

Deno.test("a clock that is set back holds up nothing", async () => {
  await using opened = await open();
  opened.mediaStore.status = () => 500;
  await opened.complete(7);
  const delivery = opened.start();
  delivery.wake();
  const { db } = opened;
  await until(
    "a first attempt",
    async () =>
      (await db.selectFrom("delivery").selectAll().executeTakeFirstOrThrow()).attempt === 1,
  );
  opened.mediaStore.status = () => 202;
  opened.clock.now -= 1_000_000_000;
  delivery.wake();
  await untilPending(delivery, 0);
  await delivery.close();
});

Deno.test("a job that is removed takes its delivery along", async () => {
  await using opened = await open();
  const id = await opened.complete(7);
  await opened.db.deleteFrom("job").where("job_id", "=", id).execute();
  assert.equal(await new DeliveryRepository(opened.db).count(), 0);
});

Deno.test("a result that was taken while the database could not be written is delivered once more", async () => {
  await using opened = await open();
  const id = await opened.complete(7);
  opened.mediaStore.status = async () => {
    await sql`PRAGMA query_only = ${sql.lit(opened.mediaStore.asked === 1 ? "ON" : "OFF")}`
      .execute(opened.db);
    return 202;
  };
  const delivery = opened.start();
  delivery.wake();
  await untilPending(delivery, 0);
  assert.deepEqual(opened.received.map(({ body }) => body.job_id), [id, id]);
  await delivery.close();
});
