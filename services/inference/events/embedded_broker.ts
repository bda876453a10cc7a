/**
 * The broker for who has none: MQTT 3.1.1 by Aedes in this process, over TCP and WebSocket.
 *
 * Everybody may connect and subscribe; what stands under `inference/` only the service itself may
 * publish, so that no page or program on this machine can make up an event.
 *
 * @module
 */
import { cannotListen } from "@fovea/common/serve";
import { Aedes, type Client } from "aedes";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Duplex } from "node:stream";

export interface EmbeddedBroker {
  /** Where clients on this machine connect, as an MQTT URL. */
  url: string;
  /** The URL with which the service itself connects and may publish. */
  ownUrl: string;
  /** Takes a WebSocket that speaks MQTT. */
  accept(socket: WebSocket): void;
  close(): Promise<void>;
}

const OWN_NAME = "inference";
const OWN_TOPICS = "inference/";

/** @param port 0 lets the system choose @throws {SettingsError} where the port is taken */
export async function startBroker(port: number): Promise<EmbeddedBroker> {
  const hostname = "127.0.0.1";
  const password = crypto.randomUUID();
  const own = new WeakSet<Client>();
  const broker = await Aedes.createBroker();
  broker.authenticate = (client, username, given, done) => {
    if (username === OWN_NAME && given?.toString() === password) own.add(client);
    done(null, true);
  };
  broker.authorizePublish = (client, packet, done) => {
    const allowed = client === null || own.has(client) || !packet.topic.startsWith(OWN_TOPICS);
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
  const address = `${hostname}:${(server.address() as AddressInfo).port}`;
  return {
    url: `mqtt://${address}`,
    ownUrl: `mqtt://${OWN_NAME}:${password}@${address}`,
    accept: (socket) => void broker.handle(toStream(socket)),
    close: async () => {
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
