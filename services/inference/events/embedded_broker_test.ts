import { SettingsError } from "@fovea/process/settings";
import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { freezeSubscriber } from "../testing/frozen_subscriber.ts";
import { subscribe } from "../testing/subscriber.ts";
import { mqttRoute } from "../routes/mqtt.ts";
import { startBroker } from "./embedded_broker.ts";

const message = { topic: "inference/events", payload: "real", retain: false, at: 0 };

Deno.test("what the service publishes reaches a subscriber, and what is retained a late one", async () => {
  const broker = await startBroker(0);
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
  const broker = await startBroker(0);
  {
    await using subscriber = await subscribe(broker.url, "inference/status");
    assert.equal((await subscriber.until(() => true)).payload, "online");
    const closed = broker.close();
    await subscriber.until(({ payload }) => payload === "stopped");
    await closed;
  }
});

Deno.test("nobody but the service can publish an event", async () => {
  const broker = await startBroker(0);
  const stranger = await connectAsync(broker.url, { reconnectPeriod: 0 });
  {
    await using subscriber = await subscribe(broker.url, "#");
    await stranger.publishAsync("elsewhere/x", "allowed", { qos: 1 });
    await subscriber.until(({ payload }) => payload === "allowed");
    stranger.publish("inference/job/x/completed", "made up", { qos: 0 });
    await new Promise<void>((resolve) => stranger.once("close", () => resolve()));
    await broker.publish(message);
    await subscriber.until(({ payload }) => payload === message.payload);
    assert.ok(!subscriber.heard.some(({ payload }) => payload === "made up"));
  }
  await stranger.endAsync(true);
  await broker.close();
});

Deno.test("a client on a WebSocket hears the same", async () => {
  const broker = await startBroker(0);
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

Deno.test("subscribers that read nothing hold up no other, and one on a WebSocket is sent away", async () => {
  const broker = await startBroker(0);
  const web = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    mqttRoute(broker.accept).fetch,
  );
  {
    await using subscriber = await subscribe(broker.url, "#");
    using _onTcp = await freezeSubscriber(Number(new URL(broker.url).port), false);
    using _onWebSocket = await freezeSubscriber(web.addr.port, true);
    // More than the system and the broker keep for who does not read.
    const long = "x".repeat(200_000);
    for (let i = 1; i <= 200; i++) await broker.publish({ ...message, payload: `${i} ${long}` });
    await subscriber.until(({ payload }) => payload.startsWith("200 "));
    await subscriber.until(({ payload }) => payload === "gone");
  }
  await broker.close();
  await web.shutdown();
});

Deno.test("a port that is taken is named, and the setting that changes it", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(
    startBroker(taken.addr.port),
    (error) =>
      error instanceof SettingsError && error.message.includes(`127.0.0.1:${taken.addr.port}`) &&
      error.message.includes("MQTT_PORT"),
  );
});
