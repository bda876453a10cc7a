import { answerProblems } from "@fovea/http/problem_response";
import type { JobEvent } from "@fovea/contract";
import { startGuarded, startService, tokenOf } from "@fovea/testing";
import { BARE, clientOf } from "@fovea/testing/suite";
import { Hono } from "hono";
import assert from "node:assert/strict";
import { EventFeed } from "../events/event_feed.ts";
import { enqueue, MessageLog } from "../events/message_log.ts";
import { follow, type Followed } from "@fovea/testing/event_stream";
import { type OpenJobs, openJobs, silent } from "../testing/open_jobs.ts";
import { subscribe } from "../testing/subscriber.ts";
import { eventRoutes } from "./events.ts";

/** Served over real HTTP, on a database of its own. */
async function serve(quietMs?: number) {
  const opened = await openJobs();
  const feed = new EventFeed({ db: opened.db, ...quietMs !== undefined && { quietMs } });
  const app = new Hono();
  answerProblems(app, silent);
  app.route("/", eventRoutes(feed));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/events`,
    opened,
    feed,
    emit: async (...numbers: number[]) => {
      await emit(opened, numbers);
      feed.wake();
    },
    [Symbol.asyncDispose]: async () => {
      feed.close();
      await server.shutdown();
      await opened[Symbol.asyncDispose]();
    },
  };
}

function emit({ db, clock }: OpenJobs, numbers: number[]): Promise<void> {
  return db.transaction().execute((transaction) =>
    enqueue(
      transaction,
      numbers.flatMap((media_store_id) => {
        const task_type = media_store_id % 2 === 0 ? "face_detection" : "image_embedding";
        const payload = JSON.stringify({
          event: "job_completed",
          data: { media_store_id, task_type },
        });
        return [
          { topic: "inference/events", payload, retain: false },
          { topic: "inference/job/x/completed", payload, retain: true },
        ];
      }),
      clock.now,
    )
  );
}

const numbersOf = (followed: Followed) =>
  followed.events.map(({ name, data }) =>
    name === "gap" ? "gap" : (data as JobEvent).data.media_store_id
  );

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

Deno.test("a follower hears each event from then on, in order, and not the ends' own messages", async () => {
  await using served = await serve();
  await served.emit(1, 2);
  await using followed = await follow(served.url);
  assert.equal(followed.response.headers.get("Content-Type"), "text/event-stream");
  await served.emit(3, 4);
  await served.emit(5);
  await followed.until(() => followed.events.length >= 3);
  assert.deepEqual(numbersOf(followed), [3, 4, 5]);
});

Deno.test("a follower that comes back hears what happened meanwhile and goes on, without gap or doubling", async () => {
  await using served = await serve();
  await served.emit(...range(1, 5));
  let last;
  {
    await using first = await follow(served.url, { "Last-Event-ID": "0" });
    await first.until(() => first.events.length >= 6);
    assert.deepEqual(numbersOf(first), ["gap", ...range(1, 5)], "0 was never given out");
    last = first.events.at(-1)!.id!;
  }
  await served.emit(...range(6, 450));
  const writing = (async () => {
    for (const number of range(451, 500)) await served.emit(number);
  })();
  await using second = await follow(served.url, { "Last-Event-ID": last });
  await writing;
  await second.until(() => second.events.length >= 495);
  assert.deepEqual(numbersOf(second), range(6, 500));
});

Deno.test("a follower that was away too long, or names an id that never was, hears of the gap and gets what there is", async () => {
  await using served = await serve();
  await served.emit(1, 2, 3);
  const messages = new MessageLog(served.opened.db);
  await using first = await follow(served.url, { "Last-Event-ID": "0" });
  await first.until(() => first.events.length >= 4);
  const forgotten = first.events[1]!.id!;
  served.opened.clock.now += 1000;
  await served.emit(4, 5);
  const { now } = served.opened.clock;
  await messages.trim(await messages.end(), now - 1000, now);
  for (const id of [forgotten, "999999", "e5f1c0de", "-1"]) {
    await using late = await follow(served.url, { "Last-Event-ID": id });
    await late.until(() => late.events.length >= 3);
    assert.deepEqual(numbersOf(late), ["gap", 4, 5]);
  }
  await first.until(() => first.events.length >= 6);
  assert.deepEqual(numbersOf(first).slice(1), range(1, 5));
});

Deno.test("a follower that does not read keeps nobody waiting and misses nothing", async () => {
  await using served = await serve();
  const slow = await fetch(served.url);
  await using quick = await follow(served.url);
  const filler = range(1, 3000);
  for (let i = 0; i < filler.length; i += 500) await served.emit(...filler.slice(i, i + 500));
  await quick.until(() => quick.events.length >= filler.length);
  await using followed = await follow(served.url, {}, slow);
  await followed.until(() => followed.events.length >= filler.length);
  assert.deepEqual(numbersOf(followed), filler);
});

Deno.test("one task or one job can be followed alone", async () => {
  await using served = await serve();
  await using faces = await follow(`${served.url}?task_type=face_detection`);
  await served.emit(1, 2, 3, 4);
  await faces.until(() => faces.events.length >= 2);
  assert.deepEqual(numbersOf(faces), [2, 4]);
  const wrong = await fetch(`${served.url}?task_type=cats`);
  assert.equal(wrong.status, 422);
  assert.equal((await wrong.json()).code, "invalid_parameter");
});

Deno.test("a connection on which nothing happens is kept alive with comments", async () => {
  await using served = await serve(20);
  await using followed = await follow(served.url);
  await followed.until(() => followed.comments >= 2);
  assert.deepEqual(followed.events, []);
});

Deno.test("the events are those of MQTT, in the same order", async () => {
  await using service = await startService("empty_inference", BARE);
  const { info, submit } = clientOf("", service.url);
  await using overMqtt = await subscribe((await info()).mqtt_url, "inference/events");
  await using overHttp = await follow(`${service.url}/events`);
  for (let entity = 1; entity <= 5; entity++) {
    await submit("face_detection", { media_store_id: entity });
  }
  await overHttp.until(() => overHttp.events.length === 15);
  await overMqtt.until(() => overMqtt.heard.length === 15);
  assert.deepEqual(
    overHttp.events.map(({ data }) => data),
    overMqtt.heard.map(({ payload }) => JSON.parse(payload)),
  );
});

Deno.test("ids go on over a restart of the service, which ends when it is followed", async () => {
  const submit = (url: string) =>
    clientOf("", url).submit("face_detection", { media_store_id: 1, force: true });
  await using first = await startService("empty_inference", BARE);
  await using before = await follow(`${first.url}/events`);
  await submit(first.url);
  await before.until(() => before.events.length >= 1);
  assert.equal((before.events[0]!.data as JobEvent).event, "job_created");
  assert.equal((await first.kill("SIGTERM")).code, 0);

  await using second = await startService("empty_inference", { ...BARE, DATA_DIR: first.dataDir });
  await submit(second.url);
  await using after = await follow(`${second.url}/events`, {
    "Last-Event-ID": before.events[0]!.id!,
  });
  const isCreated = ({ data }: { data: unknown }) => (data as JobEvent).event === "job_created";
  await after.until(() => after.events.some(isCreated));
  assert.ok(!after.events.some(({ name }) => name === "gap"));
  assert.ok(Number(after.events[0]!.id) > Number(before.events[0]!.id));
});

Deno.test("following needs a token where reading does", async () => {
  await using guarded = await startGuarded("inference", { READ_AUTH_ENABLED: "true" });
  const refused = await guarded.call("/events");
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, "unauthorized");
  const allowed = await guarded.call("/events", await tokenOf(guarded.privateKey, {}));
  assert.equal(allowed.status, 200);
  await allowed.body?.cancel();
});
