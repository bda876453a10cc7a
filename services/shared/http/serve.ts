import { Problem } from "@fovea/contract";
import { SettingsError } from "@fovea/process/settings";

/** A listening HTTP server. */
export interface Listening {
  hostname: string;
  port: number;
  /** `http://host:port`. */
  url: string;
  /** Takes no new requests and resolves once running ones have ended, or had time enough to. */
  shutdown(): Promise<void>;
}

/** How long requests may go on once the service is asked to end. */
const GRACE_MS = 10_000;

/**
 * Serves `fetch` on a host and port.
 *
 * @param portSetting name of the variable to change when the port is taken
 * @throws {SettingsError} where the address can't be had
 */
export function listen(
  options: { hostname: string; port: number; portSetting: string },
  fetch: (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>,
): Listening {
  try {
    const server = Deno.serve(
      { hostname: options.hostname, port: options.port, onListen: () => {} },
      fetch,
    );
    const { hostname, port } = server.addr;
    return {
      hostname,
      port,
      url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
      async shutdown() {
        const grace = Promise.withResolvers<void>();
        const timer = setTimeout(grace.resolve, GRACE_MS);
        await Promise.race([server.shutdown(), grace.promise]);
        clearTimeout(timer);
      },
    };
  } catch (error) {
    throw cannotListen(error, options);
  }
}

/** What to tell the user when a port can't be had. */
export function cannotListen(
  error: unknown,
  options: { hostname: string; port: number; portSetting: string },
): unknown {
  const where = `${options.hostname}:${options.port}`;
  if (
    error instanceof Deno.errors.AddrInUse || (error as { code?: string }).code === "EADDRINUSE"
  ) {
    return new SettingsError(
      `Cannot listen on ${where}: another program does: end it or set ${options.portSetting}`,
    );
  }
  if (
    error instanceof Deno.errors.AddrNotAvailable || error instanceof Deno.errors.PermissionDenied
  ) {
    return new SettingsError(
      `Cannot listen on ${where}: ${error.message}: see ${options.portSetting}`,
    );
  }
  return error;
}

/** Resolves with the signal's name when the process is asked to end. */
export function askedToEnd(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const heard = () => {
        // A second one ends the process at once: somebody is in a hurry.
        Deno.removeSignalListener(signal, heard);
        resolve(signal);
      };
      Deno.addSignalListener(signal, heard);
    }
  });
}

/**
 * Runs a service's `main`, turning what its user can mend into a plain message and exit code 2.
 */
export async function runService(main: () => Promise<void>): Promise<never> {
  try {
    await main();
    Deno.exit(0);
  } catch (error) {
    if (error instanceof SettingsError || error instanceof Problem) {
      console.error(error.message);
      Deno.exit(2);
    }
    throw error;
  }
}
