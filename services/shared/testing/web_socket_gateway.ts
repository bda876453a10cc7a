/**
 * MQTT over WebSocket and TLS, in front of a broker that speaks TCP, as an operator may have it.
 *
 * @module
 */

/** Disposing of it ends its connections. */
export interface WebSocketGateway extends AsyncDisposable {
  /** `wss://127.0.0.1:NNN`. */
  readonly url: string;
}

/**
 * @param port of the broker, on 127.0.0.1
 * @param tls paths of PEM files
 */
export async function startWebSocketGateway(
  port: number,
  tls: { cert: string; key: string },
): Promise<WebSocketGateway> {
  const sockets = new Set<WebSocket>();
  const pem = { cert: await Deno.readTextFile(tls.cert), key: await Deno.readTextFile(tls.key) };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...pem },
    async (request) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "mqtt" });
      sockets.add(socket);
      connect(socket, connection).finally(() => sockets.delete(socket));
      return response;
    },
  );
  return {
    url: `wss://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.close();
      await server.shutdown();
    },
  };
}

/** Passes bytes on in both directions until one side ends. */
async function connect(socket: WebSocket, connection: Deno.TcpConn): Promise<void> {
  const writer = connection.writable.getWriter();
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => void writer.write(new Uint8Array(data)).catch(() => {});
  socket.onclose = () => void writer.close().catch(() => {/* The broker has ended it. */});
  socket.onerror = () => {/* Closed afterwards. */};
  try {
    for await (const bytes of connection.readable) {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    }
  } catch {
    // The WebSocket has ended, and the connection with it.
  } finally {
    socket.close();
  }
}
