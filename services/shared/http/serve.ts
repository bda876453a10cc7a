import { Problem } from "@fovea/contract";
import { SettingsError } from "@fovea/process/settings";
import type { Logger } from "@fovea/process/log";
import { Connections, LIMITS, type Limits } from "./connections.ts";
import { connectionServer, type Handler } from "./runtime_server.ts";
import { listenTls, type TlsKeyPair } from "./tls.ts";
import { answerOfUpgrade } from "./web_socket.ts";

/** A listening HTTP server. */
export interface Listening {
  hostname: string;
  port: number;
  /** `http://host:port`, or `https://host:port`. */
  url: string;
  /** Rejects once nothing listens any more though nobody asked for it; never resolves. */
  failed: Promise<never>;
  /** Takes no new requests and resolves once running ones have ended, or had time enough to. */
  shutdown(): Promise<void>;
}

/** The server is gone, for no reason that its user could mend: whoever started it is to do so again. */
export class ServerFailure extends Error {
  override name = "ServerFailure";
}

/** How long requests may go on once the service is asked to end. */
const GRACE_MS = 10_000;

/**
 * Answers are compressed for clients that take it: Deno since 2.8 does so only where it is asked to,
 * for single connections by a variable of the environment that the start script sets.
 */
const COMPRESSED = { automaticCompression: true };

/**
 * Signals within this time are one wish. A terminal's Ctrl-C reaches the service twice: from the
 * terminal, as every program of the group, and through `deno task`, which passes it on.
 */
const ONE_WISH_MS = 1000;

export interface ListenOptions {
  hostname: string;
  port: number;
  /** Name of the variable to change when the port is taken. */
  portSetting: string;
  /** Undefined: plain HTTP. */
  tls?: TlsKeyPair | undefined;
  /** Whether `fetch` upgrades requests. */
  webSockets?: boolean;
  log: Logger;
  /** What is not given is as {@link LIMITS} has it. */
  limits?: Partial<Limits>;
}

/**
 * Serves `fetch` on a host and port.
 *
 * @throws {SettingsError} where the address can't be had
 */
export function listen(options: ListenOptions, fetch: Fetch): Listening {
  const server = open(options, keepingUpgrades(fetch));
  const { hostname, port } = server.addr;
  const url = `${options.tls === undefined ? "http" : "https"}://${
    hostname.includes(":") ? `[${hostname}]` : hostname
  }:${port}`;
  let isAsked = false;
  const failure = Promise.withResolvers<never>();
  // Who doesn't look at it is not to die of it.
  failure.promise.catch(() => {});
  server.ended.then((why) => {
    if (!isAsked) failure.reject(new ServerFailure(`Stopped listening on ${url}: ${why}`));
  });
  return {
    hostname,
    port,
    url,
    failed: failure.promise,
    async shutdown() {
      isAsked = true;
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, GRACE_MS);
      await Promise.race([server.shutdown(), grace.promise]);
      clearTimeout(timer);
    },
  };
}

interface Server {
  addr: Deno.NetAddr;
  /** Resolves with the reason once nothing listens any more. */
  ended: Promise<string>;
  shutdown(): Promise<void>;
}

function open(options: ListenOptions, handler: Handler): Server {
  const { hostname, port, tls, webSockets = false, log, limits } = options;
  const serve = connectionServer({ webSockets });
  try {
    if (serve === undefined) {
      log.warn(
        `Deno ${Deno.version.deno} leaves connections neither bounded nor timed, and one that the ` +
          `system refuses ends the service: Deno 2.7 does better`,
      );
      const server = Deno.serve(
        { ...COMPRESSED, hostname, port, ...tls, onListen: () => {} },
        handler,
      );
      const ended = server.finished.then(() => "the HTTP server ended", (error) => error.message);
      return { addr: server.addr, ended, shutdown: () => server.shutdown() };
    }
    const listener = tls === undefined
      ? Deno.listen({ hostname, port })
      : listenTls({ hostname, port }, tls);
    const connections = new Connections({
      listener,
      serve,
      handler,
      limits: { ...LIMITS, ...limits },
      log,
    });
    return {
      addr: listener.addr,
      ended: connections.run(),
      shutdown: () => connections.shutdown(),
    };
  } catch (error) {
    throw cannotListen(error, options);
  }
}

type Fetch = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

/** Returns to the runtime what it wants for an upgraded request, whatever became of the answer. */
function keepingUpgrades(fetch: Fetch): Handler {
  return async (request, info) => {
    try {
      const answer = await fetch(request, info);
      return answerOfUpgrade(request) ?? answer;
    } catch (error) {
      const upgraded = answerOfUpgrade(request);
      if (upgraded !== undefined) return upgraded;
      throw error;
    }
  };
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

/**
 * Resolves with the signal's name when the process is asked to end.
 *
 * @param server without which there is nothing to wait for
 * @throws {ServerFailure} once it has failed
 */
export function askedToEnd(server: Pick<Listening, "failed">): Promise<Deno.Signal> {
  const asked = new Promise<Deno.Signal>((resolve) => {
    const listeners = (["SIGINT", "SIGTERM"] as const).map((signal) => ({
      signal,
      heard: () => {
        resolve(signal);
        setTimeout(ignoreNoMore, ONE_WISH_MS);
      },
    }));
    // From then on a signal ends the process at once: somebody is in a hurry.
    const ignoreNoMore = () => {
      for (const { signal, heard } of listeners) Deno.removeSignalListener(signal, heard);
    };
    for (const { signal, heard } of listeners) Deno.addSignalListener(signal, heard);
  });
  return Promise.race([asked, server.failed]);
}

/**
 * Runs a service's `main`, turning what its user can mend into a plain message and exit code 2,
 * and the end of its server into one and exit code 1.
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
    if (error instanceof ServerFailure) {
      console.error(error.message);
      Deno.exit(1);
    }
    throw error;
  }
}
