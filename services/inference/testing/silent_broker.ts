/**
 * A broker that takes every connection and everything said on it, and acknowledges nothing that is
 * published.
 *
 * @module
 */

export interface SilentBroker extends AsyncDisposable {
  url: string;
  /** How many have connected so far. */
  readonly connections: number;
}

/** MQTT 3.1.1, 3.2: connection accepted, no session present. */
const CONNACK = new Uint8Array([0x20, 2, 0, 0]);

export function startSilentBroker(): SilentBroker {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let connections = 0;
  const serve = async (connection: Deno.Conn) => {
    await connection.write(CONNACK);
    const buffer = new Uint8Array(4096);
    while (await connection.read(buffer) !== null);
    open.delete(connection);
    connection.close();
  };
  const accepting = (async () => {
    for await (const connection of listener) {
      connections++;
      open.add(connection);
      // A client that goes away in the middle is no matter of this broker's.
      serve(connection).catch(() => open.delete(connection));
    }
  })();
  return {
    url: `mqtt://127.0.0.1:${listener.addr.port}`,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of open) connection.close();
      await accepting;
    },
  };
}
