/**
 * The broker for who has none: MQTT 3.1.1 by Aedes in this process, over TCP and WebSocket.
 *
 * Everybody may connect and subscribe. What stands under `inference/` no client may publish, so that
 * no page or program on this machine can make up an event: the service itself needs no connection.
 *
 * @module
 */
import { cannotListen } from "@fovea/http/serve";
import { type ServiceStatus, TOPICS } from "@fovea/contract";
import { Aedes } from "aedes";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Duplex } from "node:stream";
import { farewell, type Link } from "./link.ts";
import type { Message } from "./message_log.ts";

/** Always there, and with nothing retained when it starts. */
export interface EmbeddedBroker extends Link {
  trouble: null;
  /** Where clients on this machine connect, as an MQTT URL. */
  url: string;
  /** Takes a WebSocket that speaks MQTT. */
  accept(socket: WebSocket): void;
}

const OWN_TOPICS = "inference/";

/** How much may wait for a client on a WebSocket that does not read, bytes: then it is sent away. */
const MOST_UNREAD = 16 * 1024 * 1024;

/** @param port 0 lets the system choose @throws {SettingsError} where the port is taken */
export async function startBroker(port: number): Promise<EmbeddedBroker> {
  const hostname = "127.0.0.1";
  const broker = await Aedes.createBroker();
  broker.authorizePublish = (_client, packet, done) => {
    const allowed = !packet.topic.startsWith(OWN_TOPICS);
    done(allowed ? null : new Error(`only the service publishes under ${OWN_TOPICS}`));
  };

  const server = createServer(broker.handle);
  server.listen(port, hostname);
  try {
    await once(server, "listening");
  } catch (error) {
    broker.close();
    throw cannotListen(error, { hostname, port, portSetting: "MQTT_PORT" });
  }

  // Aedes calls back where it would acknowledge a client's message.
  const publish = ({ topic, payload, retain }: Pick<Message, "topic" | "payload" | "retain">) =>
    new Promise<void>((resolve, reject) => {
      broker.publish(
        { cmd: "publish", topic, payload, retain, qos: 1, dup: false },
        (error) => error ? reject(error) : resolve(),
      );
    });
  const say = (status: ServiceStatus) =>
    publish({ topic: TOPICS.status, payload: status, retain: true });
  await say("online");

  return {
    url: `mqtt://${hostname}:${(server.address() as AddressInfo).port}`,
    trouble: null,
    publish,
    accept: (socket) => void broker.handle(toStream(socket)),
    close: async () => {
      await farewell(say("stopped"));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await closed;
    },
  };
}

/** A WebSocket's bytes as the stream that Aedes reads. */
function toStream(socket: WebSocket): Duplex {
  socket.binaryType = "arraybuffer";
  const stream = new Duplex({
    read() {},
    write(chunk: Uint8Array<ArrayBuffer>, _encoding, done) {
      if (socket.bufferedAmount > MOST_UNREAD) return done(new Error("client does not read"));
      if (socket.readyState === WebSocket.OPEN) socket.send(chunk);
      done();
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  socket.onmessage = ({ data }) => stream.push(new Uint8Array(data as ArrayBuffer));
  socket.onclose = () => stream.destroy();
  socket.onerror = () => stream.destroy();
  return stream;
}
