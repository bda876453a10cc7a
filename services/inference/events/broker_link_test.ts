import {
  endOf,
  makeCertificates,
  mosquitto,
  openssl,
  overTls,
  startMosquitto,
  startWebSocketGateway,
  testNeeding,
  until,
} from "@fovea/testing";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { openLog } from "@fovea/process/log";
import { silent } from "../testing/open_jobs.ts";
import { subscribe } from "../testing/subscriber.ts";
import { startSilentBroker } from "../testing/silent_broker.ts";
import { BrokerLink, type BrokerLinkOptions } from "./broker_link.ts";

const message = { topic: "t", payload: "x", retain: false };

/** A link, and what it has reported so far. */
function open(url: string, options: Partial<BrokerLinkOptions> = {}) {
  const connections: boolean[] = [];
  const warnings: string[] = [];
  const log = openLog("test", { LOG_LEVEL: "info", LOG_FORMAT: "json" });
  log.level = "silent";
  log.warn = ((fact: { reason: string }) => warnings.push(fact.reason)) as typeof log.warn;
  const link = new BrokerLink({
    url,
    clientId: "test",
    onConnect: (remembers) => void connections.push(remembers),
    log,
    ...options,
  });
  return {
    link,
    connections,
    warnings,
    connected: (times: number) => until(`connection ${times}`, () => connections.length >= times),
    [Symbol.asyncDispose]: () => link.close(),
  };
}

testNeeding([mosquitto], "the status topic says online, stopped, and offline by will", async () => {
  await using broker = await startMosquitto();
  await using watching = await subscribe(broker.url, "inference/status");
  {
    await using _link = open(broker.url);
    await watching.until(({ payload }) => payload === "online");
  }
  await watching.until(({ payload }) => payload === "stopped");
  assert.ok(!watching.heard.some(({ payload }) => payload === "offline"));
});

testNeeding([mosquitto], "a link says whether the broker still knows the service", async () => {
  await using broker = await startMosquitto();
  await using link = open(broker.url);
  await link.connected(1);
  assert.equal(link.link.trouble, null);
  await broker.stop();
  await broker.start();
  await link.connected(2);
  assert.deepEqual(link.connections, [false, false]);
  await link.link.close();
  await using again = open(broker.url);
  await again.connected(1);
  assert.deepEqual(again.connections, [true]);
});

testNeeding([mosquitto], "what is under way when the broker goes fails at once", async () => {
  await using broker = await startMosquitto();
  await using link = open(broker.url);
  await link.connected(1);
  await broker.stop();
  // The first ones may still be written to the connection.
  const failure = await until("a message that fails", async () => {
    return await link.link.publish(message).then(() => undefined, (error) => error);
  });
  assert.ok(failure instanceof Error);
  assert.notEqual(link.link.trouble, null);
});

testNeeding(
  [mosquitto],
  "refused credentials are named once, without the password, and tried again",
  async () => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/passwords`;
    await passwordFile(file, "other");
    await using broker = await startMosquitto(["allow_anonymous false", `password_file ${file}`]);
    const url = broker.url.replace("//", "//fovea:secret@");
    await using link = open(url);
    await until("a warning", () => link.warnings.length > 0);
    assert.match(link.link.trouble ?? "", /refused the user and password of MQTT_URL/);
    await pause(1500);
    assert.equal(link.warnings.length, 1);
    assert.doesNotMatch(link.warnings[0]!, /secret/);

    await passwordFile(file, "secret");
    await broker.stop();
    await broker.start();
    await link.connected(1);
    assert.equal(link.link.trouble, null);
  },
);

Deno.test("a broker that acknowledges nothing has its connection renewed", async () => {
  await using broker = startSilentBroker();
  await using link = open(broker.url, { acknowledgeTimeoutMs: 300 });
  await link.connected(1);
  await assert.rejects(link.link.publish(message), /acknowledged nothing for 0.3 s/);
  assert.match(link.link.trouble ?? "", /acknowledged nothing/);
  await link.connected(2);
  assert.equal(link.link.trouble, null);
});

Deno.test("a link to nowhere says so, and ends when it is told to", async () => {
  const port = freePort();
  await using link = open(`mqtt://127.0.0.1:${port}`, { log: silent });
  await until("a reason", () => link.link.trouble !== "connecting");
  assert.equal(link.link.trouble, "connection refused");
  await assert.rejects(link.link.publish(message), /not connected/);
});

async function passwordFile(path: string, password: string): Promise<void> {
  const { code, stderr } = await endOf("mosquitto_passwd", {
    args: ["-c", "-b", path, "fovea", password],
  });
  assert.equal(code, 0, stderr);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const pause = (pauseMs: number) => new Promise((resolve) => setTimeout(resolve, pauseMs));

testNeeding(
  [mosquitto, openssl],
  "a broker with a private authority is trusted by its file, and knows the service by a certificate",
  async () => {
    await using certificates = await makeCertificates();
    const { ca, client } = certificates;
    await using broker = await startMosquitto([
      ...overTls(certificates),
      "require_certificate true",
    ]);
    await using stranger = open(broker.url, { tls: {} });
    await using nameless = open(broker.url, { tls: { ca } });
    await using known = open(broker.url, { tls: { ca, ...client } });
    await known.connected(1);
    await known.link.publish(message);
    assert.equal(known.link.trouble, null);
    assert.deepEqual(stranger.warnings, [
      "its certificate is not trusted here: MQTT_CA_FILE names a file with who signed it",
    ]);
    assert.notEqual(nameless.link.trouble, null);
    await assert.rejects(
      async () =>
        await new BrokerLink({
          url: broker.url,
          tls: { ca: "/nowhere/ca.pem" },
          clientId: "x",
          onConnect() {},
          log: silent,
        }).close(),
      /MQTT_CA_FILE is \/nowhere\/ca\.pem, which can't be read: No such file/,
    );
  },
);

testNeeding(
  [mosquitto, openssl],
  "a certificate that is not trusted is named over WebSocket, too",
  async () => {
    await using certificates = await makeCertificates();
    await using broker = await startMosquitto();
    await using gateway = await startWebSocketGateway(broker.port, certificates.server);
    await using stranger = open(gateway.url, { tls: {} });
    await until("a warning", () => stranger.warnings.length > 0);
    assert.match(stranger.warnings[0]!, /^its certificate is not trusted here: MQTT_CA_FILE/);
    await using known = open(gateway.url, { tls: { ca: certificates.ca } });
    await known.connected(1);
    await known.link.publish(message);
    assert.equal(known.link.trouble, null);
  },
);
