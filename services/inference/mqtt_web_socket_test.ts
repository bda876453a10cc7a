/**
 * MQTT over WebSocket, as a client that can't open a TCP connection uses it: through the started service.
 *
 * @module
 */
import { MQTT_HANDSHAKE, startService } from "@fovea/testing";
import { BARE, clientOf } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { subscribe } from "./testing/subscriber.ts";

/** The status of an answer to a handshake that these headers make. */
async function shake(url: string, headers: Record<string, string>): Promise<number> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `GET /mqtt HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${lines.join("")}\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const buffer = new Uint8Array(4096);
  const answer = new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
  connection.close();
  return Number(answer.match(/^HTTP\/1\.1 (\d+)/)?.[1]);
}

Deno.test("a client on a WebSocket hears of a job, and HTTP goes on after it", async () => {
  await using inference = await startService("empty_inference", BARE);
  const url = `${inference.url.replace("http", "ws")}/mqtt`;
  const { submit, info } = clientOf("", inference.url);
  for (let round = 1; round <= 2; round++) {
    const job_id = crypto.randomUUID();
    await using subscriber = await subscribe(url, "inference/events", { connectTimeout: 10_000 });
    await submit("face_detection", { media_store_id: round, job_id });
    const event = await subscriber.until(({ payload }) => payload.includes(job_id));
    assert.equal(JSON.parse(event.payload).event, "job_created");
    assert.equal((await info()).name, "fovea-inference");
  }
});

Deno.test("what is no handshake is refused, and one that is left at once does no harm", async () => {
  await using inference = await startService("empty_inference", BARE);
  const { info } = clientOf("", inference.url);
  // A missing version the runtime forgives.
  for (const missing of Object.keys(MQTT_HANDSHAKE).filter((name) => !name.endsWith("Version"))) {
    const rest = Object.fromEntries(
      Object.entries(MQTT_HANDSHAKE).filter(([name]) => name !== missing),
    );
    assert.equal(await shake(inference.url, rest), 426, `without ${missing}`);
  }
  assert.equal(
    await shake(inference.url, { ...MQTT_HANDSHAKE, "Sec-WebSocket-Protocol": "chat" }),
    426,
  );
  assert.equal(await shake(inference.url, MQTT_HANDSHAKE), 101);
  const body = { ...MQTT_HANDSHAKE, "Content-Length": "3" };
  // Of a body, which a handshake has not, runtimes think differently: Deno 2.9 answers 400 itself.
  assert.ok([101, 400, 426].includes(await shake(inference.url, body)));
  const head = await fetch(`${inference.url}/mqtt`, { method: "HEAD", headers: MQTT_HANDSHAKE });
  assert.equal(head.status, 426);
  assert.equal((await info()).name, "fovea-inference");
});
