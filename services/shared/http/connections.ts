/**
 * Connections of an HTTP server: taken one by one, bounded in number, and ended where their client
 * keeps them for nothing. See [note: a server a connection].
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import type { Handler, ServeConnection } from "./runtime_server.ts";
import { socketOf } from "./web_socket.ts";

export interface Limits {
  /** Connections at a time; what comes beyond them waits until one ends. */
  maxConnections: number;
  /** For the first request's head to arrive, the handshake of TLS included, milliseconds. */
  headMs: number;
  /** Without a request, after at least one, milliseconds. */
  idleMs: number;
}

/** Where no other number is said. Reverse proxies keep idle connections for a minute. */
export const LIMITS: Limits = { maxConnections: 1000, headMs: 20_000, idleMs: 75_000 };

export interface ConnectionsOptions {
  listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>;
  serve: ServeConnection;
  handler: Handler;
  limits: Limits;
  log: Logger;
}

/** Between two looks at who waits for nothing. */
const SWEEP_MS = 1000;

/** Before connections are taken again where the system gave none. */
const ACCEPT_PAUSE_MS = 200;

/** A connection that has had no request for so long may have to make room for a new one. */
const MAKES_ROOM_AFTER_MS = 1000;

/** How long what was answered last may take to reach the system once a connection is to end. */
const FLUSH_MS = 250;

/** Another warning of the same kind comes after so long without its cause. */
const CALM_MS = 60_000;

const connectionOf = new WeakMap<Request, Connection>();

/** Ends the connection that a request came on, at once. */
export function abortConnectionOf(request: Request): void {
  connectionOf.get(request)?.abort();
}

/** Ends the connection that a request came on, once its answer is sent: its client is not done yet. */
export function endConnectionOf(request: Request): void {
  connectionOf.get(request)?.end();
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Connection>();
  readonly #sweep: ReturnType<typeof setInterval>;
  #changed = Promise.withResolvers<void>();
  readonly #warnings = new Map<string, number>();
  #closing = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#endIdle(), SWEEP_MS);
  }

  /**
   * Takes connections until the listener is closed.
   *
   * @returns why it is, where nobody asked for that
   */
  async run(): Promise<string> {
    const { listener } = this.#options;
    while (!this.#closing) {
      try {
        this.#take(await listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          return "its listener was closed though nobody asked for it";
        }
        // Also what fails for one connection only: a client that has gone before it was taken.
        this.#warn(
          `no connection can be taken: ${(error as Error).message}: they wait until one ends`,
        );
        this.#makeRoom();
        await this.#change(ACCEPT_PAUSE_MS);
      }
      await this.#roomForOne();
    }
    return "";
  }

  /** Takes no more, and resolves once running requests are answered. */
  async shutdown(): Promise<void> {
    this.#closing = true;
    this.#options.listener.close();
    this.#hasChanged();
    await Promise.all([...this.#open].map((connection) => connection.end()));
    clearInterval(this.#sweep);
  }

  #take(conn: Deno.Conn): void {
    const connection = new Connection(conn, this.#options, () => this.#hasChanged());
    this.#open.add(connection);
    connection.gone.then(() => {
      this.#open.delete(connection);
      this.#hasChanged();
    });
  }

  async #roomForOne(): Promise<void> {
    const { maxConnections } = this.#options.limits;
    while (this.#open.size >= maxConnections && !this.#closing) {
      this.#warn(
        `${maxConnections} connections are open, which is MAX_CONNECTIONS: further ones wait until ` +
          `one ends`,
      );
      this.#makeRoom();
      // Who is idle now has not been for long enough yet.
      await this.#change(ACCEPT_PAUSE_MS);
    }
  }

  /** Ends the connection that has been idle the longest, if one has been for a while. */
  #makeRoom(): void {
    let idlest: Connection | undefined;
    for (const connection of this.#open) {
      if (connection.isEnding) return;
      if (connection.idleMs > (idlest?.idleMs ?? MAKES_ROOM_AFTER_MS)) idlest = connection;
    }
    idlest?.end();
  }

  #endIdle(): void {
    for (const connection of this.#open) {
      if (connection.isOverdue) connection.end();
    }
  }

  /** Waits until a connection has become idle or has gone, or so long. */
  async #change(limitMs: number): Promise<void> {
    const limit = setTimeout(() => this.#hasChanged(), limitMs);
    await this.#changed.promise;
    clearTimeout(limit);
  }

  #hasChanged(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Once for as long as its cause goes on. */
  #warn(sentence: string): void {
    const last = this.#warnings.get(sentence) ?? -Infinity;
    const now = performance.now();
    this.#warnings.set(sentence, now);
    if (now - last > CALM_MS) this.#options.log.warn(sentence);
  }
}

/** One connection, from when it was taken until its socket is closed. */
class Connection {
  /** Ends it at once, whatever runs. */
  readonly abort: () => void;
  /** Resolves once its descriptor is free. */
  readonly gone: Promise<void>;
  readonly #limits: Limits;
  readonly #finished: Promise<void>;
  readonly #onIdle: () => void;
  #since = performance.now();
  #running = 0;
  #served = false;
  #ending: Promise<void> | undefined;
  #socketClosed: Promise<void> | undefined;

  constructor(conn: Deno.Conn, { serve, handler, limits }: ConnectionsOptions, onIdle: () => void) {
    this.#limits = limits;
    this.#onIdle = onIdle;
    const { finished, abort } = serve(
      conn,
      (request, info) => this.#answer(request, info, handler),
    );
    this.abort = abort;
    // What a client does wrong, down to the TLS handshake, ends here.
    this.#finished = finished.catch(() => {});
    this.gone = this.#finished.then(() => this.#socketClosed);
  }

  /** How long it has had no request, milliseconds; 0 while one runs. */
  get idleMs(): number {
    return this.#running > 0 || this.#ending !== undefined ? 0 : performance.now() - this.#since;
  }

  get isEnding(): boolean {
    return this.#ending !== undefined && this.#running === 0;
  }

  get isOverdue(): boolean {
    return this.idleMs > (this.#served ? this.#limits.idleMs : this.#limits.headMs);
  }

  async #answer(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    handler: Handler,
  ): Promise<Response> {
    this.#running++;
    this.#served = true;
    connectionOf.set(request, this);
    // Rejects where the client has gone.
    info.completed.catch(() => {}).then(() => this.#completed());
    const response = await handler(request, info);
    const socket = socketOf(request);
    if (socket !== undefined) {
      this.#running++;
      this.#socketClosed = new Promise((resolve) =>
        socket.addEventListener("close", () => resolve())
      );
    }
    return response;
  }

  #completed(): void {
    this.#since = performance.now();
    if (--this.#running === 0) this.#onIdle();
  }

  /**
   * Ends it as soon as no request runs. The runtime's own `shutdown` is not asked: where the client
   * closes the connection at the same time, Deno 2.7 panics.
   */
  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    const look = () => {
      if (this.#running === 0 && performance.now() - this.#since >= FLUSH_MS) this.abort();
    };
    look();
    const timer = setInterval(look, FLUSH_MS);
    await this.#finished;
    clearInterval(timer);
  }
}
