/**
 * What FAILURES.md says of brokers, made to happen to the service as a process.
 *
 * @module
 */
import type { JobEndedEvent } from "@fovea/contract";
import {
  makeCertificates,
  mosquitto,
  openssl,
  overTls,
  runServiceToEnd,
  startMosquitto,
  startService,
  startWebSocketGateway,
  temporaryFolder,
  testNeeding,
} from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { readiness, submit, untilSaid, untilStatus } from "./testing/started.ts";
import { startSilentBroker } from "./testing/silent_broker.ts";
import { subscribe } from "./testing/subscriber.ts";

testNeeding(
  [mosquitto],
  "a broker that acknowledges nothing is shown, and jobs are done and told of later",
  async () => {
    await using folder = await temporaryFolder();
    await using silent = startSilentBroker();
    let id;
    {
      await using service = await startService("empty_inference", {
        ...BARE,
        DATA_DIR: folder.path,
        MQTT_URL: silent.url,
      });
      id = (await submit(service, 1)).job_id;
      await untilStatus(service, id, "completed");
      const said = await untilSaid(service, "broker", /acknowledge/);
      assert.match(said, /events waiting: 4, the oldest for 1\d s/);
      assert.equal((await readiness(service)).checks.broker?.state, "degraded");
      assert.equal((await service.kill("SIGTERM")).code, 0);
    }
    await using broker = await startMosquitto();
    await using _service = await startService("empty_inference", {
      ...BARE,
      DATA_DIR: folder.path,
      MQTT_URL: broker.url,
    });
    await using late = await subscribe(broker.url, `inference/job/${id}/completed`);
    const event: JobEndedEvent = JSON.parse((await late.until(() => true)).payload);
    assert.equal(event.status, "completed");
  },
);

testNeeding(
  [mosquitto],
  "a broker that refuses the password is named, and jobs are done all the same",
  async () => {
    await using broker = await startMosquitto(["allow_anonymous false"]);
    await using service = await startService("empty_inference", {
      ...BARE,
      MQTT_URL: broker.url.replace("//", "//fovea:secret@"),
    });
    await untilStatus(service, (await submit(service, 1)).job_id, "completed");
    await untilSaid(service, "broker", /refused the user and password of MQTT_URL.*waiting: \d/);
    const logged = service.log().filter(({ level }) => level === "warn");
    assert.ok(logged.some(({ reason }) => /refused the user and password/.test(String(reason))));
    assert.doesNotMatch(JSON.stringify(service.log()), /secret/);
  },
);

testNeeding(
  [mosquitto, openssl],
  "events reach a broker over TLS, with a private authority and a certificate of the service's own",
  async () => {
    await using certificates = await makeCertificates();
    const { client } = certificates;
    const config = [...overTls(certificates), "require_certificate true"];
    await using broker = await startMosquitto(config);
    await eventsReach(broker.url, certificates.ca, client);
  },
);

testNeeding(
  [mosquitto, openssl],
  "events reach a broker over WebSocket and TLS, with a private authority",
  async () => {
    await using certificates = await makeCertificates();
    await using broker = await startMosquitto();
    await using gateway = await startWebSocketGateway(broker.port, certificates.server);
    await eventsReach(gateway.url, certificates.ca);
  },
);

/** @param ca path of its issuer @param own paths of the service's certificate and its key */
async function eventsReach(
  url: string,
  ca: string,
  own?: { cert: string; key: string },
): Promise<void> {
  await using service = await startService("empty_inference", {
    ...BARE,
    MQTT_URL: url,
    MQTT_CA_FILE: ca,
    ...own !== undefined && { MQTT_CERT_FILE: own.cert, MQTT_KEY_FILE: own.key },
  });
  const { job_id } = await submit(service, 1);
  await using subscriber = await subscribe(url, `inference/job/${job_id}/completed`, {
    ca: await Deno.readTextFile(ca),
    ...own !== undefined && {
      cert: await Deno.readTextFile(own.cert),
      key: await Deno.readTextFile(own.key),
    },
  });
  const event: JobEndedEvent = JSON.parse((await subscriber.until(() => true)).payload);
  assert.equal(event.status, "completed");
}

Deno.test("a certificate for a broker that does not speak TLS is a wrong setting", async () => {
  const wrong = await runServiceToEnd("inference", { ...BARE, MQTT_CA_FILE: "/ca.pem" });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /MQTT_CA_FILE is for a broker that speaks TLS: set MQTT_URL/);
});
