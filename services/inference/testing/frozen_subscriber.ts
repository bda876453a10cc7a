/**
 * A client of the broker that subscribes and then reads nothing more, as one whose process was
 * stopped.
 *
 * @module
 */
import { MQTT_HANDSHAKE, until } from "@fovea/testing";

/** MQTT 3.1.1: SUBSCRIBE to inference/events, QoS 1. */
const SUBSCRIBE = packet(0x82, "\0\x01\0\x10inference/events\x01");

/** First byte of a SUBACK; in what comes before it, an HTTP header among it, it does not occur. */
const SUBACK = 0x90;

const UPGRADE = [
  "GET /mqtt HTTP/1.1",
  "Host: 127.0.0.1",
  ...Object.entries(MQTT_HANDSHAKE).map(([name, value]) => `${name}: ${value}`),
  "\r\n",
].join("\r\n");

/**
 * Resolves when the subscription stands. Should the broker end the connection, it publishes the will
 * of the subscriber, "gone" under the topic `gone`.
 *
 * @param overWebSocket what listens on `port` speaks HTTP
 */
export async function freezeSubscriber(port: number, overWebSocket: boolean): Promise<Disposable> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(1024);
  const read = async () => buffer.subarray(0, await connection.read(buffer) ?? 0);
  if (overWebSocket) {
    await connection.write(new TextEncoder().encode(UPGRADE));
    await read();
  }
  // Protocol, clean session and a will, no keep-alive; who it is, and the will.
  const id = overWebSocket ? "web" : "tcp";
  const connect = packet(0x10, `\0\x04MQTT\x04\x06\0\0\0\x03${id}\0\x04gone\0\x04gone`);
  for (const said of [connect, SUBSCRIBE]) {
    await connection.write(overWebSocket ? frame(said) : said);
  }
  await until("a subscription that stands", async () => (await read()).includes(SUBACK));
  return { [Symbol.dispose]: () => connection.close() };
}

/** A control packet of less than 128 bytes. */
function packet(type: number, rest: string): Uint8Array {
  return new Uint8Array([type, rest.length, ...new TextEncoder().encode(rest)]);
}

/** RFC 6455, 5.2: one final binary frame of less than 126 bytes, masked with zeros. */
function frame(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([0x82, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}
