/**
 * TCP through Deno's own connections: a write there ends when the system has taken it, so that what a
 * client leaves unread can be counted. `node:net` does not tell.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Connection, type Transport } from "./connection.ts";

/** Bytes that are read at once. */
const READ_BYTES = 16 * 1024;

/** Bytes that are written at once, where many small packets wait. */
const WRITE_BYTES = 64 * 1024;

/** How long what was sent may take to go out once the connection is to end, milliseconds. */
const CLOSE_GRACE_MS = 1000;

/** The stream of a TCP connection that speaks MQTT. */
export function overTcp(conn: Deno.TcpConn, onRefused: (reason: string) => void): Connection {
  conn.setNoDelay(true);
  const transport = new TcpTransport(conn, () => connection.destroy());
  const connection = new Connection(transport, onRefused);
  transport.read(connection);
  return connection;
}

class TcpTransport implements Transport {
  unread = 0;
  readonly #conn: Deno.TcpConn;
  readonly #onEnd: () => void;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #writing: Promise<void> | undefined;
  #resumed = Promise.withResolvers<void>();
  #closed = false;

  constructor(conn: Deno.TcpConn, onEnd: () => void) {
    this.#conn = conn;
    this.#onEnd = onEnd;
  }

  /** Hands over what comes, for as long as something does, and only as fast as it is wanted. */
  async read(connection: Connection): Promise<void> {
    try {
      const buffer = new Uint8Array(READ_BYTES);
      while (!this.#closed) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        this.#resumed = Promise.withResolvers();
        if (!connection.receive(buffer.slice(0, count))) await this.#resumed.promise;
      }
      connection.push(null);
    } catch {
      // The connection was reset, or closed on this side.
      this.#onEnd();
    }
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    this.#waiting.push(bytes);
    this.unread += bytes.length;
    this.#flush();
  }

  resume(): void {
    this.#resumed.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resumed.resolve();
    const timer = setTimeout(() => this.#end(), CLOSE_GRACE_MS);
    (this.#writing ?? Promise.resolve()).finally(() => {
      clearTimeout(timer);
      this.#end();
    });
  }

  #end(): void {
    this.#waiting = [];
    try {
      this.#conn.close();
    } catch {
      // It has ended already.
    }
  }

  #flush(): void {
    this.#writing ??= this.#writeAll().catch(this.#onEnd).finally(() => {
      this.#writing = undefined;
      // What came after the last look, and before this.
      if (this.#waiting.length > 0) this.#flush();
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      let bytes = this.#take();
      while (bytes.length > 0) {
        const written = await this.#conn.write(bytes);
        this.unread -= written;
        bytes = bytes.subarray(written);
      }
    }
  }

  /** What is written next: many small pieces together, a large one alone. */
  #take(): Uint8Array<ArrayBuffer> {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length) {
      bytes += this.#waiting[count]!.length;
      if (count > 0 && bytes > WRITE_BYTES) break;
      count++;
    }
    const pieces = this.#waiting.splice(0, count);
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}
