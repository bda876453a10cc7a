/**
 * The broker for those who have none: MQTT 3.1.1 by Aedes in this process, over TCP and WebSocket.
 *
 * @module
 */
import { cannotListen } from "@fovea/http/serve";
import type { Logger } from "@fovea/process/log";
import { type ServiceStatus, TOPICS } from "@fovea/contract";
import { Aedes } from "aedes";
import { type Link, withinMoment } from "../events/link.ts";
import type { Message } from "../events/message_log.ts";
import { BoundedPersistence, BOUNDS, type Bounds } from "./bounded_persistence.ts";
import type { Connection } from "./connection.ts";
import { Pace } from "./pace.ts";
import { type Authorize, everybody, guard } from "./permissions.ts";
import { overTcp } from "./tcp_transport.ts";
import { overWebSocket } from "./web_socket_transport.ts";

/** Always there, and with nothing retained when it starts. */
export interface EmbeddedBroker extends Link {
  trouble: null;
  /** Where clients on this machine connect, as an MQTT URL. */
  url: string;
  /** Takes a WebSocket that speaks MQTT. */
  accept(socket: WebSocket): void;
}

export interface BrokerOptions {
  /** 0 lets the system choose one. */
  port: number;
  /** Connections at a time, at most {@link MAX_CONNECTIONS}; more are ended as they come. */
  maxConnections?: number;
  log: Logger;
  /** Default: everybody may do everything but publish as the service. */
  authorize?: Authorize;
  bounds?: Bounds;
}

/** What Aedes is tried with. */
const MAX_CONNECTIONS = 1000;

/** For a client's CONNECT to arrive, milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Before connections are taken again where the process has no file descriptor left, milliseconds. */
const ACCEPT_PAUSE_MS = 200;

/** @throws {SettingsError} where the port is taken */
export async function startBroker(options: BrokerOptions): Promise<EmbeddedBroker> {
  const { port, log, authorize = everybody, bounds = BOUNDS } = options;
  const hostname = "127.0.0.1";
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    throw cannotListen(error, { hostname, port, portSetting: "MQTT_PORT" });
  }

  const broker = await Aedes.createBroker({
    connectTimeout: CONNECT_TIMEOUT_MS,
    persistence: new BoundedPersistence((what, client) => {
      log.warn({ client, what }, "broker keeps too much for its clients: dropped");
    }, bounds),
  });
  guard(broker, authorize, (reason, client) => log.info({ client, reason }, "MQTT client refused"));

  const connections = new Set<Connection>();
  const pace = new Pace();
  const handle = (open: (onRefused: (reason: string) => void) => Connection) => {
    const connection = open((reason) => log.info({ reason }, "MQTT client refused"));
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
    broker.handle(connection);
  };
  const most = Math.min(options.maxConnections ?? MAX_CONNECTIONS, MAX_CONNECTIONS);
  const full = () => connections.size >= most;
  const accepting = acceptAll(listener, (conn) => {
    if (full()) conn.close();
    else handle((onRefused) => overTcp(conn, onRefused));
  }, log);

  // Aedes calls back where it would acknowledge a client's message.
  const publish = async (
    { topic, payload, retain }: Pick<Message, "topic" | "payload" | "retain">,
  ) => {
    await new Promise<void>((resolve, reject) => {
      broker.publish(
        { cmd: "publish", topic, payload, retain, qos: 1, dup: false },
        (error) => error ? reject(error) : resolve(),
      );
    });
    await pace.keptUp(connections);
  };
  const publishStatus = (status: ServiceStatus) =>
    publish({ topic: TOPICS.status, payload: status, retain: true });
  await publishStatus("online");

  return {
    url: `mqtt://${hostname}:${listener.addr.port}`,
    trouble: null,
    publish,
    accept: (socket) => {
      if (full()) socket.close();
      else handle((onRefused) => overWebSocket(socket, onRefused));
    },
    close: async () => {
      await withinMoment(publishStatus("stopped"));
      listener.close();
      await accepting;
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      for (const connection of connections) connection.destroy();
    },
  };
}

/** Takes connections until the listener is closed. */
async function acceptAll(
  listener: Deno.TcpListener,
  onConnection: (conn: Deno.TcpConn) => void,
  log: Logger,
): Promise<void> {
  let failed = false;
  while (true) {
    try {
      onConnection(await listener.accept());
      failed = false;
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return;
      }
      if (!failed) log.error({ err: error }, "MQTT connections can't be taken: trying again");
      failed = true;
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
    }
  }
}
