/**
 * Services that may have few files open, and more clients than that.
 *
 * @module
 */
import { type ServiceName, type ServiceProcess, startService } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { connectionServer } from "../shared/http/runtime_server.ts";
import { subscribe } from "../inference/testing/subscriber.ts";
import { connectionsWithin } from "./descriptors.ts";

/** Opens a connection, sends this on it, and leaves it open. */
async function send(service: ServiceProcess, text: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(service.url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode(text.replace("HOST", `${hostname}:${port}`)));
  return conn;
}

const health = (service: ServiceProcess, limitMs: number) =>
  fetch(`${service.url}/health`, { signal: AbortSignal.timeout(limitMs) });

/** 80 requests that go on at a service that may have 64 files open. */
async function survivesMany(name: ServiceName, request: string, settings: Record<string, string>) {
  await using service = await startService(name, settings, { openFiles: 64 });
  const clients = [];
  for (let i = 0; i < 80; i++) clients.push(await send(service, request));
  await assert.rejects(health(service, 2000), { name: "TimeoutError" });
  for (const client of clients) client.close();
  const answer = await health(service, 20_000);
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
  const warnings = service.log().filter(({ level }) => level === "warn" || level === "error");
  assert.match(
    warnings.map(({ msg }) => msg).join("\n"),
    /^\d+ connections are open, which is MAX_CONNECTIONS: further ones wait until one ends$/,
  );
  assert.equal((await service.kill("SIGTERM")).code, 0);
}

Deno.test("media_store lives through more uploads than it may have files open", async () => {
  await survivesMany(
    "media_store",
    "POST /entity/ HTTP/1.1\r\nHost: HOST\r\nContent-Type: multipart/form-data; boundary=b\r\n" +
      'Content-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="image"; ' +
      'filename="a.jpg"\r\n\r\nstart',
    {},
  );
});

const isBounded = connectionServer({ webSockets: true }) !== undefined;

Deno.test("inference lives through more followers than it may have files open, or says at its start that it does not", async () => {
  if (isBounded) {
    return await survivesMany("inference", "GET /events HTTP/1.1\r\nHost: HOST\r\n\r\n", BARE);
  }
  // On such a Deno the runtime's own accept loop serves, which does not.
  await using service = await startService("inference", BARE);
  const warnings = service.log().filter(({ level }) => level === "warn").map(({ msg }) => msg);
  assert.match(warnings.join("\n"), /leaves connections neither bounded nor timed/);
});

Deno.test("the built-in broker lives through more clients than inference may have files open", async () => {
  await using service = await startService("inference", BARE, { openFiles: 64 });
  const { mqtt_url } = await (await fetch(`${service.url}/info`)).json();
  const { hostname, port } = new URL(mqtt_url);
  const clients = [];
  for (let i = 0; i < 80; i++) clients.push(await Deno.connect({ hostname, port: Number(port) }));
  for (const client of clients) client.close();
  await using subscriber = await subscribe(mqtt_url, "inference/status");
  await subscriber.until(({ payload }) => payload === "online");
});

Deno.test("clients that leave their connections idle do not keep others out", async () => {
  await using service = await startService("media_store", {}, { openFiles: 64 });
  const idle = [];
  for (let i = 0; i < 30; i++) {
    idle.push(await send(service, "GET /health HTTP/1.1\r\nHost: HOST\r\n\r\n"));
  }
  for (let i = 0; i < 10; i++) idle.push(await send(service, "GET /hea"));
  const answer = await health(service, 30_000);
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
  for (const conn of idle) conn.close();
});

Deno.test("the bound follows from the limit of open files, and from what a service needs", () => {
  assert.equal(connectionsWithin(64, 48), 8);
  assert.equal(connectionsWithin(1024, 48), 488);
  assert.equal(connectionsWithin(1_000_000, 48), 2000);
  assert.equal(connectionsWithin(32, 48), 4);
});
