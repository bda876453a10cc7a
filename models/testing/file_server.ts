/**
 * For tests: a real HTTP server with one file, that knows ranges and can be told to fail.
 *
 * @module
 */

/** How to answer one request; whatever is not named is done right. */
export interface Fault {
  /** Answer this, with no file. */
  status?: number;
  /** Redirect to this address. */
  redirect?: string;
  /** Send the whole file whatever was asked for. */
  ignoreRange?: boolean;
  /** Send something else. */
  content?: Uint8Array<ArrayBuffer>;
  /** Don't say how long it is. */
  hideLength?: boolean;
  /** After so many bytes of the body break the connection, or send nothing more. */
  after?: { bytes: number; then: "break" | "stall" };
  /** Never answer. */
  silent?: boolean;
}

export interface FileServer extends AsyncDisposable {
  url: string;
  /** The Range header of each request so far; null where it had none. */
  ranges: (string | null)[];
  /** Breaks the connections that send nothing more. */
  breakStalled(): void;
}

/** @param faults the first one for the first request, and so on; the rest is answered rightly */
export function serveFile(bytes: Uint8Array<ArrayBuffer>, faults: Fault[] = []): FileServer {
  const ranges: (string | null)[] = [];
  const connections = new Set<Deno.TcpConn>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      const head = await readHead(connection);
      const range = head.match(/^range: *(.*)$/im)?.[1] ?? null;
      const fault = faults[ranges.length] ?? {};
      ranges.push(range);
      for (const piece of answer(bytes, fault, range)) await writeAll(connection, piece);
      // A closed connection is what a client sees of a server that dies, an open one of one that hangs.
      if (fault.silent || fault.after?.then === "stall") connections.add(connection);
      else connection.close();
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    ranges,
    breakStalled() {
      for (const connection of connections) connection.close();
      connections.clear();
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      await serving;
    },
  };
}

/** The answer's bytes, written out by hand since no HTTP library sends wrong ones. */
function answer(
  file: Uint8Array<ArrayBuffer>,
  fault: Fault,
  range: string | null,
): Uint8Array<ArrayBuffer>[] {
  if (fault.silent) return [];
  if (fault.status !== undefined) return [headOf(fault.status, { "Content-Length": "0" })];
  if (fault.redirect !== undefined) {
    return [headOf(302, { "Content-Length": "0", "Location": fault.redirect })];
  }
  const content = fault.content ?? file;
  const from = fault.ignoreRange ? 0 : Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
  const body = content.subarray(from);
  const headers: Record<string, string> = {};
  if (!fault.hideLength) headers["Content-Length"] = String(body.length);
  if (from > 0) headers["Content-Range"] = `bytes ${from}-${content.length - 1}/${content.length}`;
  return [headOf(from > 0 ? 206 : 200, headers), body.subarray(0, fault.after?.bytes)];
}

function headOf(status: number, headers: Record<string, string>): Uint8Array<ArrayBuffer> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(
    `HTTP/1.1 ${status} Whatever\r\nConnection: close\r\n${lines.join("")}\r\n`,
  );
}

async function readHead(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const read = await connection.read(buffer);
    if (read === null) break;
    head += new TextDecoder().decode(buffer.subarray(0, read));
  }
  return head;
}

/** Writes as much as the client takes, which may close the connection before the end. */
async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      written += await connection.write(bytes.subarray(written));
    }
  } catch (error) {
    if (
      !(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)
    ) throw error;
  }
}

/** Bytes that differ from place to place, so that a piece in the wrong place is noticed. */
export function patterned(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
}
