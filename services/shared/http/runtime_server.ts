/**
 * The runtime's HTTP server for one connection.
 *
 * [note: a server a connection] `Deno.serve` takes connections by itself: it ends at the first that
 * the system refuses it (no file descriptor left), takes as many as come, and waits for a request for
 * ever. So connections are taken here, and the runtime serves each by itself, which lets one be ended
 * alone. What does this, `serveHttpOnConnection`, is an inner part of Deno that its node:http2 stands
 * on, and no promise: Deno 2.7, 2.8 and 2.9 have it. Where it is missing, `Deno.serve` serves, without
 * bounds; and so it does for a service that has WebSockets on Deno 2.9, which closes each WebSocket as
 * soon as the server of its connection is done with it.
 *
 * @module
 */

/** One connection that is served, with as many requests as come on it. */
export interface ServedConnection {
  /** Settles once the connection has ended; rejects where its client broke the rules. */
  finished: Promise<void>;
  /** Ends it at once, whatever runs. */
  abort(): void;
}

export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Response | Promise<Response>;

export type ServeConnection = (connection: Deno.Conn, handler: Handler) => ServedConnection;

type InnerServer = (
  connection: Deno.Conn,
  signal: AbortSignal,
  handler: Handler,
  onError: (error: unknown) => Response | Promise<Response>,
  onListen: (scheme: string) => void,
) => { finished: Promise<void> };

const { internal } = Deno as unknown as { internal: symbol };
const inner = Deno as unknown as Record<symbol, { serveHttpOnConnection?: InnerServer }>;

/** @returns undefined where this Deno has none that would do */
export function connectionServer(
  { webSockets }: { webSockets: boolean },
): ServeConnection | undefined {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  if (webSockets && (major > 2 || minor > 8)) return undefined;
  const serve = inner[internal]?.serveHttpOnConnection;
  if (serve === undefined) return undefined;
  return (connection, handler) => {
    let cancel = () => {};
    // The runtime wants nothing else of a signal, and fails to end a connection that is just ending:
    // from a real signal that failure would reach nobody, and end the service.
    const signal = { addEventListener: (_: "abort", listener: () => void) => cancel = listener };
    const { finished } = serve(
      connection,
      signal as unknown as AbortSignal,
      handler,
      failed,
      () => {},
    );
    return {
      finished,
      abort() {
        try {
          cancel();
        } catch (error) {
          if (!(error instanceof Deno.errors.BadResource)) throw error;
        }
      },
    };
  };
}

/** No handler is expected to fail. */
function failed(): Response {
  return new Response(null, { status: 500 });
}
