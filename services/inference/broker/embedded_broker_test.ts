import { within } from "@fovea/testing";
import { SettingsError } from "@fovea/process/settings";
import assert from "node:assert/strict";
import { connect, connectAsync, type MqttClient } from "mqtt";
import { Buffer } from "node:buffer";
import { type EventEmitter, once } from "node:events";
import { freezeSubscriber } from "../testing/frozen_subscriber.ts";
import { silent } from "../testing/open_jobs.ts";
import { type Heard, subscribe } from "../testing/subscriber.ts";
import { mqttRoute } from "../routes/mqtt.ts";
import { startBroker } from "./embedded_broker.ts";

const message = { topic: "inference/events", payload: "real", retain: false, at: 0 };

Deno.test("what the service publishes reaches a subscriber, and what is retained a late one", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  {
    await using early = await subscribe(broker.url, "inference/#");
    await broker.publish({ ...message, topic: "inference/job/1/completed", retain: true });
    await early.until(({ payload }) => payload === message.payload);
    await using late = await subscribe(broker.url, "inference/job/+/completed");
    assert.equal((await late.until(() => true)).retained, true);
  }
  await broker.close();
});

Deno.test("the status says online from the start, and stopped at the end", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  {
    await using subscriber = await subscribe(broker.url, "inference/status");
    assert.equal((await subscriber.until(() => true)).payload, "online");
    const closed = broker.close();
    await subscriber.until(({ payload }) => payload === "stopped");
    await closed;
  }
});

Deno.test("nobody but the service can publish an event, and who tries is not cut off", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  const stranger = await connectAsync(broker.url, {
    reconnectPeriod: 0,
    will: { topic: "inference/status", payload: Buffer.from("made up"), qos: 1, retain: true },
  });
  {
    await using subscriber = await subscribe(broker.url, "#");
    await using system = await subscribe(broker.url, "$SYS/#");
    for (const topic of ["inference/job/x/completed", "$SYS/x"]) {
      for (const qos of [0, 1, 2] as const) {
        await stranger.publishAsync(topic, "made up", { qos, retain: true });
      }
    }
    await stranger.publishAsync("elsewhere/x", "allowed", { qos: 1 });
    await subscriber.until(({ payload }) => payload === "allowed");
    assert.ok(stranger.connected);
    // Without a farewell: the broker tells its will.
    stranger.stream.destroy();
    await broker.publish(message);
    await subscriber.until(({ payload }) => payload === message.payload);
    const late = await subscribe(broker.url, "inference/#");
    await late.until(({ payload }) => payload === "online");
    await late[Symbol.asyncDispose]();
    for (const { heard } of [subscriber, late, system]) {
      assert.ok(!heard.some(({ payload, topic }) => payload === "made up" || topic === "$refused"));
    }
  }
  await stranger.endAsync(true);
  await broker.close();
});

Deno.test("a client on a WebSocket hears the same", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  const web = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    mqttRoute(broker.accept).fetch,
  );
  {
    await using subscriber = await subscribe(
      `ws://127.0.0.1:${web.addr.port}/mqtt`,
      "inference/events",
    );
    const long = "x".repeat(200_000);
    await broker.publish({ ...message, payload: long });
    assert.equal((await subscriber.until(() => true)).payload.length, long.length);
  }
  await broker.close();
  await web.shutdown();
});

Deno.test("subscribers that read nothing hold up no other, and are sent away", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  const web = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    mqttRoute(broker.accept).fetch,
  );
  {
    await using subscriber = await subscribe(broker.url, "#");
    using _onTcp = await freezeSubscriber(Number(new URL(broker.url).port), false);
    using _onWebSocket = await freezeSubscriber(web.addr.port, true);
    // More than the system and the broker keep for a client that does not read.
    const long = "x".repeat(200_000);
    for (let i = 1; i <= 200; i++) await broker.publish({ ...message, payload: `${i} ${long}` });
    await subscriber.until(({ payload }) => payload.startsWith("200 "));
    await subscriber.until(() => gone(subscriber.heard).length === 2);
  }
  await broker.close();
  await web.shutdown();
});

const gone = (heard: Heard[]) => heard.filter(({ payload }) => payload === "gone");

Deno.test("MQTT 5, or any other level, is refused by a CONNACK that says so", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  const port = Number(new URL(broker.url).port);
  for (const [level, connack] of [[5, [0x20, 3, 0, 0x84, 0]], [9, [0x20, 2, 0, 1]]] as const) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const properties = level === 5 ? "\0" : "";
    const rest = `\0\x04MQTT${String.fromCharCode(level)}\x02\0\x3c${properties}\0\x01x`;
    await conn.write(new Uint8Array([0x10, rest.length, ...new TextEncoder().encode(rest)]));
    const answer = await within(
      "a CONNACK and the end of the connection",
      new Response(conn.readable).bytes(),
    );
    assert.deepEqual([...answer], [...connack]);
  }
  const refusal = await connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0 })
    .then(() => "connected", ({ message }) => message);
  assert.match(refusal, /Unsupported protocol version/i);
  await broker.close();
});

Deno.test("what is no MQTT, and a packet that is too large, end their connection and nothing else", async () => {
  const broker = await startBroker({ port: 0, log: silent });
  const port = Number(new URL(broker.url).port);
  await using subscriber = await subscribe(broker.url, "#");
  const connect = [0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 1, 120];
  const tooLarge = [0x30, 0xff, 0xff, 0xff, 0x7f];
  const rubbish = [
    [...new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
    [0x10, 0xff, 0xff, 0xff, 0xff, 0xff],
    [...connect, ...tooLarge],
  ];
  for (const bytes of rubbish) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(new Uint8Array(bytes));
    const ended = new Response(conn.readable).arrayBuffer().catch(() => {});
    await within("the end of the connection", ended);
  }
  await broker.publish(message);
  await subscriber.until(({ payload }) => payload === message.payload);
  await broker.close();
});

const BOUNDS = {
  retained: { messages: 3, bytes: 10_000 },
  session: { messages: 5, bytes: 10_000 },
  sessions: { count: 3, bytes: 20_000 },
  held: 2000,
};

Deno.test("what others have retained is bounded, and what the service retains is not", async () => {
  const broker = await startBroker({ port: 0, log: silent, bounds: BOUNDS });
  const other = await connectAsync(broker.url, { reconnectPeriod: 0 });
  for (let i = 0; i < 10; i++) {
    await other.publishAsync(`other/${i}`, "kept", { qos: 1, retain: true });
    await broker.publish({ ...message, topic: `inference/job/${i}/completed`, retain: true });
  }
  await other.publishAsync("other/large", "x".repeat(20_000), { qos: 1, retain: true });
  // One that is taken back makes room for another.
  await other.publishAsync("other/0", "", { qos: 1, retain: true });
  await other.publishAsync("other/last", "kept", { qos: 1, retain: true });
  const late = await subscribe(broker.url, "#");
  await late.until(({ topic }) => topic === "inference/job/9/completed");
  const topics = late.heard.map(({ topic }) => topic);
  assert.deepEqual(topics.filter((topic) => topic.startsWith("other/")).sort(), [
    "other/1",
    "other/2",
    "other/last",
  ]);
  assert.equal(topics.filter((topic) => topic.startsWith("inference/job/")).length, 10);
  await late[Symbol.asyncDispose]();
  await other.endAsync(true);
  await broker.close();
});

/** Waits for an event of a client. */
const heard = (client: MqttClient, event: "message" | "close") =>
  within(`"${event}" of a client`, once(client as unknown as EventEmitter, event));

/** Asks for all events under this name, and goes away; returns whether the broker knew the name. */
async function comeAndGo(url: string, clientId: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const client = connect(url, { clientId, clean: false, reconnectPeriod: 0 });
  client.on("connect", ({ sessionPresent }) => resolve(sessionPresent));
  const knew = await within("a connection", promise);
  await client.subscribeAsync("inference/#", { qos: 1 });
  await client.endAsync();
  return knew;
}

Deno.test("a client that was away hears what it missed; one that missed too much is told that its session is gone", async () => {
  const broker = await startBroker({ port: 0, log: silent, bounds: BOUNDS });
  await comeAndGo(broker.url, "back soon");
  await broker.publish(message);
  const back = connect(broker.url, { clientId: "back soon", clean: false, reconnectPeriod: 0 });
  // What was kept for it comes at once, asked for or not.
  const [, payload] = await heard(back, "message");
  assert.equal(String(payload), message.payload);
  await back.endAsync();

  assert.equal(await comeAndGo(broker.url, "away"), false);
  for (let i = 0; i < 4; i++) await broker.publish(message);
  assert.equal(await comeAndGo(broker.url, "away"), true);
  for (let i = 0; i < 6; i++) await broker.publish(message);
  assert.equal(await comeAndGo(broker.url, "away"), false);
  await broker.close();
});

Deno.test("of more sessions than are kept, those that have been away longest are forgotten", async () => {
  const broker = await startBroker({ port: 0, log: silent, bounds: BOUNDS });
  for (const name of ["a", "b", "c", "d"]) await comeAndGo(broker.url, name);
  assert.equal(await comeAndGo(broker.url, "d"), true);
  assert.equal(await comeAndGo(broker.url, "b"), true);
  assert.equal(await comeAndGo(broker.url, "a"), false);
  await broker.close();
});

Deno.test("a will that is larger than the broker may hold ends its connection", async () => {
  const broker = await startBroker({ port: 0, log: silent, bounds: BOUNDS });
  const will = { topic: "x", payload: Buffer.alloc(3000), qos: 0 as const, retain: false };
  const client = connect(broker.url, { will, reconnectPeriod: 0 });
  client.on("error", () => {});
  await heard(client, "close");
  assert.equal(client.connected, false);
  await client.endAsync(true);
  await broker.close();
});

Deno.test("a port that is taken is named, and the setting that changes it", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(
    startBroker({ port: taken.addr.port, log: silent }),
    (error) =>
      error instanceof SettingsError && error.message.includes(`127.0.0.1:${taken.addr.port}`) &&
      error.message.includes("MQTT_PORT"),
  );
});
