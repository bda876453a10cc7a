/**
 * How the service ends: as real processes, on real signals.
 *
 * @module
 */
import {
  mosquitto,
  startMosquitto,
  startService,
  temporaryFolder,
  testNeeding,
  until,
  within,
} from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { subscribe } from "./testing/subscriber.ts";

/** A media_store whose pictures never come. */
function silentStore() {
  const silence = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked.resolve();
    return silence.promise;
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked: asked.promise,
    [Symbol.asyncDispose]: async () => {
      silence.resolve(new Response());
      await server.shutdown();
    },
  };
}

testNeeding(
  [mosquitto],
  "SIGTERM hands running jobs back, publishes what is left and that it stopped, and ends with 0",
  async () => {
    await using store = silentStore();
    await using broker = await startMosquitto();
    await using folder = await temporaryFolder();
    await using everything = await subscribe(broker.url, "inference/#");
    const env = {
      ...BARE,
      MEDIA_STORE_URL: store.url,
      MQTT_URL: broker.url,
      DATA_DIR: folder.path,
    };
    await using inference = await startService("inference", env);
    await untilReady(inference);
    const client = clientOf("", inference.url);
    const running = await client.submit("face_detection", { media_store_id: 1 });
    const pending = await client.submit("face_detection", { media_store_id: 2 });
    await within("a request of a picture", store.asked);
    const { code } = await inference.kill("SIGTERM");
    assert.equal(code, 0);

    await everything.until(({ payload }) => payload === "stopped");
    const steps = everything.heard.filter(({ topic }) => topic === "inference/events")
      .map(({ payload }) => JSON.parse(payload))
      .filter(({ data }) => data.job_id === running.job_id).map(({ event }) => event);
    assert.deepEqual(steps, ["job_created", "job_started", "job_retrying"]);

    await using again = await startService("inference", env);
    for (const { job_id } of [running, pending]) {
      const job = await clientOf("", again.url).job(job_id);
      assert.ok(job.attempt <= 1, `attempt ${job.attempt} was counted though it was broken off`);
    }
  },
);

Deno.test("a second SIGTERM ends the service at once, and nothing is lost", async () => {
  await using store = silentStore();
  await using folder = await temporaryFolder();
  const env = { ...BARE, MEDIA_STORE_URL: store.url, DATA_DIR: folder.path };
  await using inference = await startService("inference", env);
  await untilReady(inference);
  const { job_id } = await clientOf("", inference.url).submit("face_detection", {
    media_store_id: 1,
  });
  await within("a request of a picture", store.asked);
  const first = inference.kill("SIGTERM");
  await until(
    'the log to say "stopping"',
    () => inference.log().some(({ msg }) => msg === "stopping"),
  );
  // Within a second it would be the same wish.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { signal } = await inference.kill("SIGTERM");
  assert.equal(signal, "SIGTERM");
  await first;
  await using again = await startService("inference", env);
  const job = await clientOf("", again.url).job(job_id);
  assert.match(job.status, /pending|processing/);
});
