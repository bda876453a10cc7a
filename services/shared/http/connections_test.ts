import { until, within } from "@fovea/testing";
import assert from "node:assert/strict";
import pino from "pino";
import type { Limits } from "./connections.ts";
import { connectionServer } from "./runtime_server.ts";
import { listen, type Listening } from "./serve.ts";
import { upgradeWebSocket } from "./web_socket.ts";

/** A server with these limits, whose requests for `/wait` are answered when `answer` is called. */
function serverOf(limits: Partial<Limits>) {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, {
    write: (line: string) => lines.push(JSON.parse(line).msg),
  });
  const waiting: (() => void)[] = [];
  const server = listen(
    { hostname: "127.0.0.1", port: 0, portSetting: "PORT", log, limits },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/wait") await new Promise<void>((resolve) => waiting.push(resolve));
      if (pathname === "/socket") return upgradeWebSocket(request, "test").response;
      return new Response("here");
    },
  );
  return { server, lines, waiting };
}

/** A connection that has sent this. */
async function sent(server: Listening, text: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: server.hostname, port: server.port });
  if (text !== "") await conn.write(new TextEncoder().encode(text));
  return conn;
}

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const WAIT = REQUEST.replace("/ ", "/wait ");

/** What comes next on a connection; "" where it was closed; undefined where nothing came in time. */
async function next(conn: Deno.TcpConn, limitMs = 5000): Promise<string | undefined> {
  const buffer = new Uint8Array(4096);
  const timer = Promise.withResolvers<undefined>();
  const id = setTimeout(() => timer.resolve(undefined), limitMs);
  const read = conn.read(buffer).then(
    (count) => count === null ? "" : new TextDecoder().decode(buffer.subarray(0, count)),
    () => "",
  );
  const what = await Promise.race([read, timer.promise]);
  clearTimeout(id);
  return what;
}

Deno.test("a connection beyond the bound waits until one ends, and the log says so once", async () => {
  const { server, lines, waiting } = serverOf({ maxConnections: 2 });
  const busy = [await sent(server, WAIT), await sent(server, WAIT)];
  await until("two requests", () => waiting.length === 2);
  const more = [await sent(server, REQUEST), await sent(server, REQUEST)];
  assert.equal(await next(more[0]!, 1500), undefined);
  waiting.forEach((answer) => answer());
  busy.forEach((conn) => conn.close());
  assert.match(await next(more[1]!) ?? "", /^HTTP\/1\.1 200/);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^2 connections are open, which is MAX_CONNECTIONS: further ones wait/);
  more.forEach((conn) => conn.close());
  await server.shutdown();
});

Deno.test("at the bound, the connection that has been idle the longest makes room", async () => {
  const { server, waiting } = serverOf({ maxConnections: 2 });
  const idle = await sent(server, REQUEST);
  assert.match(await next(idle) ?? "", /^HTTP\/1\.1 200/);
  const busy = await sent(server, WAIT);
  await until("a request", () => waiting.length === 1);
  const another = await sent(server, REQUEST);
  assert.match(await next(another) ?? "", /^HTTP\/1\.1 200/);
  assert.equal(await next(idle), "");
  waiting[0]!();
  assert.match(await next(busy) ?? "", /^HTTP\/1\.1 200/);
  [idle, busy, another].forEach((conn) => conn.close());
  await server.shutdown();
});

Deno.test("a connection without a whole head is closed, and so is one that is idle", async () => {
  const { server } = serverOf({ headMs: 300, idleMs: 1500 });
  const silent = await sent(server, "");
  const half = await sent(server, "GET / HTTP/1.1\r\nHost:");
  const idle = await sent(server, REQUEST);
  assert.match(await next(idle) ?? "", /^HTTP\/1\.1 200/);
  assert.equal(await next(silent), "");
  assert.equal(await next(half), "");
  assert.equal(await next(idle, 100), undefined);
  assert.equal(await next(idle), "");
  [silent, half, idle].forEach((conn) => conn.close());
  await server.shutdown();
});

Deno.test("a running request has no limit, and is answered while the server shuts down", async () => {
  const { server, waiting } = serverOf({ headMs: 100, idleMs: 100 });
  const busy = await sent(server, WAIT);
  await until("a request", () => waiting.length === 1);
  const half = await sent(server, "GET / HTTP/1.1\r\nHost:");
  assert.equal(await next(busy, 1500), undefined);
  const ended = server.shutdown();
  waiting[0]!();
  await ended;
  half.close();
  busy.close();
});

Deno.test("an open WebSocket counts as a connection, until it is closed", async () => {
  if (connectionServer({ webSockets: true }) === undefined) {
    // On such a Deno the runtime alone serves whoever has WebSockets, and nobody else.
    assert.notEqual(connectionServer({ webSockets: false }), undefined);
    return;
  }
  const { server } = serverOf({ maxConnections: 1 });
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/socket`, "test");
  await within("an open WebSocket", new Promise((resolve) => socket.onopen = resolve));
  const another = await sent(server, REQUEST);
  assert.equal(await next(another, 2000), undefined);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await within("the end of the WebSocket", closed);
  const third = await sent(server, REQUEST);
  assert.match(await next(third) ?? "", /^HTTP\/1\.1 200/);
  another.close();
  third.close();
  await server.shutdown();
});
