/**
 * Services with clients that send a byte a second, and with clients that read nothing.
 *
 * @module
 */
import { type ServiceProcess, startService } from "@fovea/testing";
import { BARE, clientOf } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { connectionServer } from "../shared/http/runtime_server.ts";
import { craftPng } from "../media_store/testing/crafted_picture.ts";

/** Longer than any client may take: 20 s for a head, 30 s for a body or an answer. */
const LIMIT_MS = 70_000;

interface Client {
  /** What came until the connection ended; undefined where it has not ended in time. */
  answer: Promise<string | undefined>;
  conn: Deno.TcpConn;
}

/** Sends a head at once, and from then on a byte a second. */
async function slowSender(service: ServiceProcess, head: string): Promise<Client> {
  const conn = await connect(service, head);
  const trickle = setInterval(() => {
    conn.write(new Uint8Array([0x20])).catch(() => clearInterval(trickle));
  }, 1000);
  return { conn, answer: readAll(conn).finally(() => clearInterval(trickle)) };
}

async function connect(service: ServiceProcess, head: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(service.url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode(head.replace("HOST", `${hostname}:${port}`)));
  return conn;
}

async function readAll(conn: Deno.TcpConn): Promise<string | undefined> {
  let text = "";
  const buffer = new Uint8Array(64 * 1024);
  const late = setTimeout(() => conn.close(), LIMIT_MS);
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return text;
      text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    }
  } catch (error) {
    // The limit above has closed it; all else is the service's doing.
    const isLate = error instanceof Deno.errors.BadResource ||
      error instanceof Deno.errors.Interrupted;
    return isLate ? undefined : text;
  } finally {
    clearTimeout(late);
  }
}

const later = (pauseMs: number) => new Promise<void>((resolve) => setTimeout(resolve, pauseMs));

/** Asks until it is told to stop, and fails where an answer takes longer than 10 s. */
async function asksForHealth(service: ServiceProcess, isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    const answer = await fetch(`${service.url}/health`, { signal: AbortSignal.timeout(10_000) });
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
    count++;
    await later(500);
  }
  return count;
}

async function endsAll(service: ServiceProcess, heads: Record<string, string>, times: number) {
  const kinds = Object.entries(heads);
  const clients: [kind: string, client: Client][] = [];
  for (let i = 0; i < times; i++) {
    const [kind, head] = kinds[i % kinds.length]!;
    clients.push([kind, await slowSender(service, head)]);
  }
  let isOver = false;
  const asked = asksForHealth(service, () => isOver);
  const answers = await Promise.all(clients.map(async ([kind, { answer }]) => {
    return `${kind}: ${(await answer)?.split("\r\n")[0]}`;
  }));
  isOver = true;
  assert.ok(await asked > 10);
  for (const [, { conn }] of clients) closed(conn);
  return [...new Set(answers)].sort();
}

function closed(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It has been.
  }
}

const HEAD = "Host: HOST\r\nContent-Length: 20000\r\nContent-Type:";
const CHUNKED = "Host: HOST\r\nTransfer-Encoding: chunked\r\nContent-Type:";

const PART = '--b\r\nContent-Disposition: form-data; name="label"\r\n\r\nslow';

Deno.test("media_store ends 200 slow senders and 50 clients that read nothing", async () => {
  await using service = await startService("media_store");
  // More than what systems keep for a connection that is not read.
  const bytes = new Uint8Array([...craftPng(3, 2, 1), ...new Uint8Array(32 * 1024 * 1024)]);
  const { id } = await clientOf(service.url, "").upload(bytes);
  const image = `GET /entity/${id}/image HTTP/1.1\r\nHost: HOST\r\n\r\n`;
  const unreading: Deno.TcpConn[] = [];
  for (let i = 0; i < 50; i++) unreading.push(await connect(service, image));

  assert.deepEqual(
    await endsAll(service, {
      head: "GET /health HTTP/1.1\r\nHost: HOST\r\nX-Slow:",
      json: `PATCH /entity/${id} HTTP/1.1\r\n${HEAD} application/json\r\n\r\n{`,
      chunks: `PATCH /entity/${id} HTTP/1.1\r\n${CHUNKED} application/json\r\n\r\n4e20\r\n{`,
      form: `POST /entity/ HTTP/1.1\r\n${HEAD} multipart/form-data; boundary=b\r\n\r\n${PART}`,
      fields: `POST /entity/ HTTP/1.1\r\n${HEAD} application/x-www-form-urlencoded\r\n\r\nlabel=a`,
    }, 200),
    [
      "chunks: HTTP/1.1 408 Request Timeout",
      "fields: HTTP/1.1 408 Request Timeout",
      "form: HTTP/1.1 408 Request Timeout",
      "head: ",
      "json: HTTP/1.1 408 Request Timeout",
    ],
  );
  for (const conn of unreading) {
    const answer = await readAll(conn);
    assert.ok(answer !== undefined && answer.length < bytes.length, "an answer came as a whole");
    closed(conn);
  }
});

Deno.test("inference ends 200 slow senders, or says at its start that it does not", async () => {
  await using service = await startService("empty_inference", BARE);
  if (connectionServer({ webSockets: true }) === undefined) {
    const warnings = service.log().filter(({ level }) => level === "warn").map(({ msg }) => msg);
    assert.match(warnings.join("\n"), /leaves connections neither bounded nor timed/);
    return;
  }
  const job = "POST /job/face_detection HTTP/1.1\r\n";
  const heads = {
    head: "GET /health HTTP/1.1\r\nHost: HOST\r\nX-Slow:",
    json: `${job}${HEAD} application/json\r\n\r\n{`,
    chunks: `${job}${CHUNKED} application/json\r\n\r\n4e20\r\n{`,
  };
  const answers = await endsAll(service, heads, 200);
  assert.deepEqual(answers, [
    "chunks: HTTP/1.1 408 Request Timeout",
    "head: ",
    "json: HTTP/1.1 408 Request Timeout",
  ]);
});
