/**
 * A client that costs as little as possible, so that the measured time is the service's. It has one
 * connection, sends one request at a time, and reads of an answer only what it needs.
 *
 * @module
 */

const text = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** A connection to a service. Disposing of it closes it. */
export class HttpConnection implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #host: string;
  readonly #chunk = new Uint8Array(64 * 1024);

  private constructor(connection: Deno.TcpConn, host: string) {
    this.#connection = connection;
    this.#host = host;
  }

  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url);
    return new HttpConnection(await Deno.connect({ hostname, port: Number(port) }), host);
  }

  /** @returns the answer's status */
  async post(path: string, body: string): Promise<number> {
    const head = `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}`;
    const request = text.encode(`${head}\r\n\r\n${body}`);
    for (let sent = 0; sent < request.length;) {
      sent += await this.#connection.write(request.subarray(sent));
    }
    let answer = "";
    for (let end = Infinity; answer.length < end;) {
      const count = await this.#connection.read(this.#chunk);
      if (count === null) throw new Error("Cannot measure: the service closed the connection");
      answer += latin1.decode(this.#chunk.subarray(0, count));
      const blank = answer.indexOf("\r\n\r\n");
      if (blank < 0) continue;
      const length = /^content-length: (\d+)/im.exec(answer.slice(0, blank))?.[1];
      if (length === undefined) throw new Error(`Cannot measure: an answer of unknown length`);
      end = blank + 4 + Number(length);
    }
    return Number(answer.slice(9, 12));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
