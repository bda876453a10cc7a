import { mosquitto, startMosquitto, testNeeding, within } from "@fovea/testing";
import { sql } from "kysely";
import { connectAsync } from "mqtt";
import assert from "node:assert/strict";
import { openJobs, silent } from "../testing/open_jobs.ts";
import { subscribe } from "../testing/subscriber.ts";
import { BrokerLink } from "./broker_link.ts";
import { startBroker } from "../broker/embedded_broker.ts";
import { enqueue, MAX_KEPT, MessageLog } from "./message_log.ts";
import type { Publish } from "./link.ts";
import { Outbox } from "./outbox.ts";

const MINUTE_MS = 60_000;
type Opened = Awaited<ReturnType<typeof openJobs>>;

function outboxOn({ db, clock }: Opened, publish: Publish, retainMs = MINUTE_MS): Outbox {
  return new Outbox({ db, publish, retainMs, now: () => clock.now, log: silent });
}

/** An outbox with a connection to a broker. */
function linkedOutbox(opened: Opened, url: string) {
  const link: BrokerLink = new BrokerLink({
    url,
    clientId: "test",
    onConnect: (remembers) => outbox.resume(remembers),
    log: silent,
  });
  const outbox = outboxOn(opened, link.publish);
  return {
    outbox,
    [Symbol.asyncDispose]: async () => {
      await outbox.close(10_000);
      await link.close();
    },
  };
}

function write(
  { db, clock }: Opened,
  ...messages: { topic: string; payload: string; retain?: boolean }[]
) {
  return db.transaction().execute((transaction) =>
    enqueue(
      transaction,
      messages.map((message) => ({ retain: false, ...message })),
      clock.now,
    )
  );
}

async function waiting(opened: Opened): Promise<number> {
  return (await outboxOn(opened, () => Promise.reject()).state()).pending;
}

/** Everything the broker retains under a topic by now, once it has heard what was sent before. */
async function retained(url: string, topic: string): Promise<string[]> {
  await using late = await subscribe(url, "#");
  const own = await connectAsync(url);
  await own.publishAsync("end", "of what is retained", { qos: 1 });
  await own.endAsync();
  await late.until(({ topic }) => topic === "end");
  return late.heard.filter((heard) => heard.topic === topic).map(({ payload }) => payload);
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
  await within("both messages", all.promise);
  await outbox.close(10_000);
  assert.deepEqual(sent, ["first", "second"]);
});

Deno.test("a message that fails to be sent, and those with it, go out when the broker is back", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  let isThere = false;
  const outbox = outboxOn(opened, ({ payload }) => {
    if (!isThere && payload !== "one") return Promise.reject(new Error("connection lost"));
    sent.push(payload);
    return Promise.resolve();
  });
  await write(opened, { topic: "t", payload: "one" }, { topic: "t", payload: "two" });
  outbox.wake();
  await outbox.whenIdle();
  opened.clock.now += 5000;
  assert.deepEqual(await outbox.state(), { pending: 2, oldestAgeMs: 5000 });
  isThere = true;
  outbox.wake();
  assert.deepEqual(sent, ["one"], "nothing is tried until the broker is back");
  outbox.resume(true);
  await outbox.close(10_000);
  assert.deepEqual(sent, ["one", "one", "two"]);
  assert.deepEqual(await outbox.state(), { pending: 0, oldestAgeMs: null });
});

Deno.test("a retained message is cleared when its time has come, also after a restart", async () => {
  await using opened = await openJobs();
  const broker = await startBroker({ port: 0, log: silent });
  const topic = "inference/job/1/completed";
  const before = outboxOn(opened, broker.publish);
  await write(opened, { topic, payload: "done", retain: true });
  before.wake();
  await before.close(10_000);
  assert.deepEqual(await retained(broker.url, topic), ["done"]);

  opened.clock.now += 2 * MINUTE_MS;
  {
    await using watching = await subscribe(broker.url, topic);
    const after = outboxOn(opened, broker.publish);
    after.wake();
    await watching.until(({ payload }) => payload === "");
    await after.close(10_000);
  }
  assert.deepEqual(await retained(broker.url, topic), []);
  await broker.close();
});

Deno.test("what waited through an outage is retained for its full time after it", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  const away = outboxOn(opened, () => Promise.reject(new Error("away")));
  await write(opened, { topic: "t", payload: "done", retain: true });
  away.wake();
  await away.close(10_000);
  opened.clock.now += 3 * MINUTE_MS;
  const back = outboxOn(opened, ({ payload }) => {
    sent.push(payload);
    return Promise.resolve();
  });
  assert.deepEqual(await back.state(), { pending: 1, oldestAgeMs: 3 * MINUTE_MS });
  back.resume(true);
  await back.whenIdle();
  opened.clock.now += MINUTE_MS / 2;
  const send = async () => {
    const outbox = outboxOn(opened, ({ payload }) => {
      sent.push(payload);
      return Promise.resolve();
    });
    outbox.wake();
    await outbox.close(10_000);
  };
  await send();
  assert.deepEqual(sent, ["done"]);
  opened.clock.now += MINUTE_MS / 2;
  await send();
  assert.deepEqual(sent, ["done", ""]);
  await back.close(10_000);
});

Deno.test("of two ends of one job the newer stays retained when the older has had its time", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  const outbox = () =>
    outboxOn(opened, ({ payload }) => {
      sent.push(payload);
      return Promise.resolve();
    });
  const send = async () => {
    const sending = outbox();
    sending.wake();
    await sending.close(10_000);
  };
  await write(opened, { topic: "t", payload: "failed", retain: true });
  await send();
  opened.clock.now += MINUTE_MS / 2;
  await write(opened, { topic: "t", payload: "completed", retain: true });
  await send();
  opened.clock.now += MINUTE_MS / 2;
  await send();
  assert.deepEqual(sent, ["failed", "completed"]);
  opened.clock.now += MINUTE_MS / 2;
  await send();
  assert.deepEqual(sent, ["failed", "completed", ""]);
});

Deno.test("a broker that forgot is told the newest end of each job, and no more than once", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  const outbox = outboxOn(opened, ({ topic, payload }) => {
    sent.push(`${topic}: ${payload}`);
    return Promise.resolve();
  });
  await write(opened, { topic: "a", payload: "failed", retain: true });
  await write(opened, { topic: "a", payload: "completed", retain: true });
  await write(opened, { topic: "b", payload: "completed", retain: true });
  await write(opened, { topic: "c", payload: "a step" });
  outbox.wake();
  await outbox.whenIdle();
  sent.length = 0;
  for (let i = 0; i < 2; i++) {
    outbox.resume(false);
    await outbox.whenIdle();
    assert.deepEqual(sent.splice(0), ["a: completed", "b: completed"]);
  }
  await outbox.close(10_000);
});

Deno.test("messages leave the database with their time, and steps when there are too many", async () => {
  await using opened = await openJobs();
  const messages = new MessageLog(opened.db);
  const outbox = outboxOn(opened, () => Promise.resolve());
  const step = { topic: "inference/events", payload: "{}" };
  const kept = async () => (await messages.after(0, 10)).map(({ seq }) => seq);
  await write(opened, step, { topic: "t", payload: "x" }, step, step);
  outbox.wake();
  await outbox.whenIdle();
  await messages.trimToSize(await messages.cursor());
  assert.deepEqual(await kept(), [1, 2, 3, 4]);
  await messages.trimToSize(MAX_KEPT + 1);
  assert.deepEqual(await kept(), [2, 3, 4]);
  opened.clock.now += 2 * MINUTE_MS;
  const next = outboxOn(opened, () => Promise.resolve());
  next.wake();
  await next.close(10_000);
  assert.deepEqual(await kept(), [4], "the newest step stays");
  await outbox.close(0);
});

Deno.test("many steps are forgotten for their number, and no end of a job with them", async () => {
  await using opened = await openJobs();
  const messages = new MessageLog(opened.db);
  const step = { topic: "inference/events", payload: "{}" };
  await write(opened, { topic: "t", payload: "x", retain: true });
  for (let i = 0; i < 3; i++) await write(opened, ...new Array(500).fill(step));
  await messages.trimToSize(MAX_KEPT + 1300);
  const left = await messages.after(0, 2000);
  assert.deepEqual([left.length, left[0]?.topic, left[1]?.seq], [202, "t", 1301]);
});

Deno.test("with the clock set back, what was retained is still cleared in its time", async () => {
  await using opened = await openJobs();
  const sent: string[] = [];
  const send = async () => {
    const outbox = outboxOn(opened, ({ payload }) => {
      sent.push(payload);
      return Promise.resolve();
    });
    outbox.wake();
    await outbox.close(10_000);
  };
  await write(opened, { topic: "t", payload: "done", retain: true });
  await send();
  opened.clock.now -= 1000 * MINUTE_MS;
  await send();
  opened.clock.now += MINUTE_MS;
  await send();
  assert.deepEqual(sent, ["done", ""]);
});

Deno.test("a message that can't be read from the database now is sent later", async () => {
  await using opened = await openJobs();
  const sent = Promise.withResolvers<string>();
  const outbox = outboxOn(opened, ({ payload }) => {
    sent.resolve(payload);
    return Promise.resolve();
  });
  await write(opened, { topic: "t", payload: "one" });
  await sql`ALTER TABLE outbox RENAME TO elsewhere`.execute(opened.db);
  outbox.wake();
  await outbox.whenIdle();
  await sql`ALTER TABLE elsewhere RENAME TO outbox`.execute(opened.db);
  assert.equal(await within("the message", sent.promise), "one");
  await outbox.close(10_000);
});

testNeeding(
  [mosquitto],
  "a broker that comes back without its memory gets what was waiting and what it had retained",
  async () => {
    await using opened = await openJobs();
    await using broker = await startMosquitto();
    await using linked = linkedOutbox(opened, broker.url);
    {
      await using watching = await subscribe(broker.url, "kept");
      await write(opened, { topic: "kept", payload: "before the outage", retain: true });
      linked.outbox.wake();
      await watching.until(({ payload }) => payload === "before the outage");
    }
    await broker.stop();
    const during = Array.from({ length: 300 }, (_, i) => `during the outage ${i}`);
    for (const payload of during) {
      await write(opened, { topic: "plain", payload });
      linked.outbox.wake();
    }
    await broker.start();
    await using late = await subscribe(broker.url, "#");
    await write(opened, { topic: "plain", payload: "after it" });
    linked.outbox.wake();
    await late.until(({ payload }) => payload === "after it");
    await late.until(({ payload }) => payload === "before the outage");
    // A subscription takes a moment, in which the first ones may have gone out.
    const heard = late.heard.filter(({ topic }) => topic === "plain").map((m) => m.payload);
    assert.deepEqual(heard, [...during, "after it"].slice(-heard.length));
    await linked.outbox.whenIdle();
    assert.equal(await waiting(opened), 0);
  },
);
