import { mosquitto, startMosquitto, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { openJobs, silent } from "../testing/open_jobs.ts";
import { subscribe } from "../testing/subscriber.ts";
import { BrokerLink } from "./broker_link.ts";
import { startBroker } from "./embedded_broker.ts";
import { enqueue, Outbox, type Publish } from "./outbox.ts";

const MINUTE = 60_000;
type Opened = Awaited<ReturnType<typeof openJobs>>;

function outboxOn({ db, clock }: Opened, publish: Publish, retainFor = MINUTE): Outbox {
  return new Outbox({ db, publish, retainFor, now: () => clock.now, log: silent });
}

function write(
  { db }: Opened,
  ...messages: { topic: string; payload: string; retain?: boolean }[]
) {
  return db.transaction().execute((transaction) =>
    enqueue(transaction, messages.map((message) => ({ retain: false, ...message })))
  );
}

async function waiting({ db }: Opened): Promise<number> {
  return (await db.selectFrom("outbox").select("seq").execute()).length;
}

Deno.test("messages are sent in order and leave the database when they are acknowledged", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  const outbox = outboxOn(opened, ({ payload }) => {
    sent.push(payload);
    return Promise.resolve();
  });
  const payloads = Array.from({ length: 200 }, (_, i) => `message ${i}`);
  await write(opened, ...payloads.map((payload) => ({ topic: "t", payload })));
  outbox.wake();
  await outbox.close(10_000);
  assert.deepEqual(sent, payloads);
  assert.equal(await waiting(opened), 0);
});

Deno.test("what the broker has not acknowledged is sent again after a restart", async () => {
  await using opened = await openJobs();
  await write(opened, { topic: "t", payload: "one" });
  const silence = outboxOn(opened, () => new Promise(() => {}));
  silence.wake();
  await silence.close(50);
  assert.equal(await waiting(opened), 1);

  const sent: string[] = [];
  const outbox = outboxOn(opened, ({ payload }) => {
    sent.push(payload);
    return Promise.resolve();
  });
  outbox.wake();
  await outbox.close(10_000);
  assert.deepEqual(sent, ["one"]);
});

Deno.test("a message written while others are being sent is not forgotten", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  const all = Promise.withResolvers<void>();
  const outbox = outboxOn(opened, async ({ payload }) => {
    if (payload === "first") {
      await write(opened, { topic: "t", payload: "second" });
      outbox.wake();
    }
    sent.push(payload);
    if (payload === "second") all.resolve();
  });
  await write(opened, { topic: "t", payload: "first" });
  outbox.wake();
  await all.promise;
  await outbox.close(10_000);
  assert.deepEqual(sent, ["first", "second"]);
});

Deno.test("a retained message is cleared when its time has come, also after a restart", async () => {
  await using opened = await openJobs();
  const broker = await startBroker(0);
  const link = () =>
    new BrokerLink({ url: broker.ownUrl, clientId: "test", onForgotten: () => {}, log: silent });
  const topic = "inference/job/1/completed";

  const first = link();
  const before = outboxOn(opened, first.publish);
  await write(opened, { topic, payload: "done", retain: true });
  before.wake();
  await before.close(10_000);
  await first.close();
  {
    await using late = await subscribe(broker.url, topic);
    assert.deepEqual(await late.until(() => true), { topic, payload: "done", retained: true });
  }

  opened.clock.now += 2 * MINUTE;
  const second = link();
  const after = outboxOn(opened, second.publish);
  {
    await using watching = await subscribe(broker.url, topic);
    after.wake();
    await watching.until(({ payload }) => payload === "");
  }
  await after.close(10_000);
  await second.close();
  {
    await using late = await subscribe(broker.url, "inference/#");
    await late.until(({ topic }) => topic === "inference/status");
    assert.ok(!late.heard.some((message) => message.topic === topic));
  }
  await broker.close();
});

testNeeding(
  [mosquitto],
  "a broker that comes back without its memory gets what was waiting and what it had retained",
  async () => {
    await using opened = await openJobs();
    await using broker = await startMosquitto();
    const link = new BrokerLink({
      url: broker.url,
      clientId: "test",
      onForgotten: () => outbox.restoreRetained(),
      log: silent,
    });
    const outbox = outboxOn(opened, link.publish);
    {
      await using watching = await subscribe(broker.url, "kept");
      await write(opened, { topic: "kept", payload: "before the outage", retain: true });
      outbox.wake();
      await watching.until(({ payload }) => payload === "before the outage");
    }
    await broker.stop();
    await write(opened, { topic: "plain", payload: "during the outage", retain: true });
    outbox.wake();
    await broker.start();
    {
      await using late = await subscribe(broker.url, "#");
      await late.until(({ payload }) => payload === "before the outage");
      await late.until(({ payload }) => payload === "during the outage");
    }
    await outbox.close(10_000);
    await link.close();
    assert.equal(await waiting(opened), 0);
  },
);

testNeeding([mosquitto], "the status topic says online and stopped", async () => {
  await using broker = await startMosquitto();
  await using watching = await subscribe(broker.url, "inference/status");
  const open = () =>
    new BrokerLink({ url: broker.url, clientId: "test", onForgotten: () => {}, log: silent });
  const link = open();
  await watching.until(({ payload }) => payload === "online");
  await link.close();
  await watching.until(({ payload }) => payload === "stopped");
});
