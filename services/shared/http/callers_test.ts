/**
 * Who may call, on both services as they are started.
 *
 * @module
 */
import { asJson, MQTT_HANDSHAKE, runServiceToEnd, startService } from "@fovea/testing";
import { callsOf, filledIn } from "@fovea/testing/calls";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const FOREIGN = "http://elsewhere.example";

/** A call with headers that fetch would not let a program choose. */
async function call(
  url: string,
  head: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; code: string | undefined; headers: Headers }> {
  const { hostname, port, host } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = Object.entries({ Host: host, Connection: "close", ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  await connection.write(new TextEncoder().encode(`${head} HTTP/1.1\r\n${lines.join("")}\r\n`));
  const timer = setTimeout(() => connection.close(), 10_000);
  const reader = connection.readable.getReader();
  let text = "";
  const decoder = new TextDecoder();
  // What is endless (events, an upgraded connection) is left once its head is there.
  while (!text.includes("\r\n\r\n") || (text.includes("problem+json") && !text.includes("}"))) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value);
  }
  clearTimeout(timer);
  await reader.cancel();
  const [first, ...rest] = text.split("\r\n\r\n")[0]!.split("\r\n");
  return {
    status: Number(first!.split(" ")[1]),
    code: text.match(/"code":"(\w+)"/)?.[1],
    headers: new Headers(rest.map((line) => [
      line.slice(0, line.indexOf(":")),
      line.slice(line.indexOf(":") + 1).trim(),
    ])),
  };
}

/** Calls of each service: what is read, and what changes something. */
const SERVICES = (["media_store", "empty_inference"] as const).map((name) => {
  const calls = callsOf(name);
  return {
    name,
    reads: [...calls.filter(({ method }) => method === "GET").map(({ path }) => path), "/nowhere"],
    changes: [
      ...calls.filter(({ method }) => method !== "GET").map(({ method, path }) =>
        `${method} ${path}`
      ),
      "PUT /nowhere",
    ],
  };
});

for (const { name, reads, changes } of SERVICES) {
  Deno.test(`${name} answers under its own names only`, async () => {
    await using service = await startService(name, { ...BARE, ALLOWED_HOSTS: "Nas.local, fovea" });
    const { port } = new URL(service.url);
    const names = ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "10.1.2.3", "fovea.localhost"];
    for (const host of [...names, "nas.local", "fovea", `fovea:${port}`, `127.0.0.1:${port}`]) {
      const answer = await call(service.url, "GET /health", { Host: host });
      assert.equal(answer.status, 200, host);
      assert.equal(answer.headers.get("Cross-Origin-Resource-Policy"), "same-origin");
    }
    const foreign = [
      "elsewhere.example",
      "localhost.elsewhere.example",
      "nas.local.example",
      "nas",
    ];
    for (const host of [...foreign, "127.0.0.1.example", "127.0.0.1@elsewhere.example", "1.2.x"]) {
      for (const head of [...reads.map((path) => `GET ${path}`), ...changes]) {
        const { status, code, headers } = await call(service.url, head, { Host: host });
        assert.deepEqual([status, code], [421, "unknown_host"], `${head} of ${host}`);
        assert.equal(headers.get("Cross-Origin-Resource-Policy"), "same-origin");
      }
    }
    const absolute = await call(service.url, `GET ${FOREIGN}/health`, {
      Host: "elsewhere.example",
    });
    assert.equal(absolute.status, 421);
  });

  Deno.test(`${name} lets no foreign page change anything, nor read but by going there`, async () => {
    await using service = await startService(name, BARE);
    const { host } = new URL(service.url);
    const site = (value: string) => ({ "Sec-Fetch-Site": value });
    const refused = async (head: string, headers: Record<string, string>) => {
      const { status, code } = await call(service.url, head, headers);
      assert.deepEqual(
        [status, code],
        [403, "foreign_origin"],
        `${head} ${JSON.stringify(headers)}`,
      );
    };
    const passed = async (head: string, headers: Record<string, string>) => {
      const { code, headers: got } = await call(service.url, head, headers);
      assert.notEqual(code, "foreign_origin", `${head} ${JSON.stringify(headers)}`);
      assert.equal(got.get("Access-Control-Allow-Origin"), null);
    };
    for (const change of changes) {
      for (const origin of [FOREIGN, "null", `http://localhost:1`, `http://${host}.example`]) {
        await refused(change, { Origin: origin });
      }
      await refused(change, site("cross-site"));
      await passed(change, { Origin: `http://${host}`, ...site("same-origin") });
      await passed(change, {});
    }
    const image = { ...site("cross-site"), "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" };
    const frame = { ...image, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" };
    const whole = { ...image, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
    for (const path of reads) {
      await refused(`GET ${path}`, image);
      await refused(`GET ${path}`, frame);
      await passed(`GET ${path}`, whole);
      await passed(`GET ${path}`, site("none"));
      await passed(`GET ${path}`, { Origin: `http://${host}`, ...site("same-origin") });
    }
    const preflight = { "Origin": FOREIGN, "Access-Control-Request-Method": "PATCH" };
    for (const path of [...reads, "/entity/1"]) await refused(`OPTIONS ${path}`, preflight);
    await refused("GET /mqtt", { ...MQTT_HANDSHAKE, Origin: FOREIGN });
    await refused("GET /mqtt", { ...MQTT_HANDSHAKE, ...site("cross-site") });
    await passed("GET /mqtt", { ...MQTT_HANDSHAKE, Origin: `http://${host}` });
    await passed("GET /mqtt", MQTT_HANDSHAKE);
  });

  Deno.test(`${name} gives a page of an allowed origin what its browser needs, and no other`, async () => {
    const allowed = "https://gallery.example";
    await using service = await startService(name, { ...BARE, ALLOWED_ORIGINS: allowed });
    const cors = (headers: Headers) => headers.get("Access-Control-Allow-Origin");
    for (const head of [...reads.map((path) => `GET ${path}`), ...changes]) {
      const far = { "Origin": allowed, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors" };
      const { code, headers } = await call(service.url, head, far);
      assert.notEqual(code, "foreign_origin", head);
      assert.equal(cors(headers), allowed, head);
      assert.match(headers.get("Vary") ?? "", /\bOrigin\b/);
    }
    const asked = {
      "Access-Control-Request-Method": "PATCH",
      "Access-Control-Request-Headers": "authorization,content-type",
    };
    const path = changes[0]!.split(" ")[1];
    const preflight = await call(service.url, `OPTIONS ${path}`, { Origin: allowed, ...asked });
    assert.equal(cors(preflight.headers), allowed);
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get("Access-Control-Allow-Methods")!, /\bPATCH\b/);
    assert.equal(
      preflight.headers.get("Access-Control-Allow-Headers"),
      asked["Access-Control-Request-Headers"],
    );
    const foreign = await call(service.url, `OPTIONS ${path}`, { Origin: FOREIGN, ...asked });
    assert.deepEqual([foreign.status, cors(foreign.headers)], [403, null]);
    const other = await call(service.url, "GET /", { Origin: FOREIGN });
    assert.deepEqual([other.status, cors(other.headers)], [200, null]);
    assert.match(other.headers.get("Vary") ?? "", /\bOrigin\b/);
  });
}

Deno.test("JSON is taken only as application/json, and no more than 1 MiB of it", async () => {
  await using store = await startService("media_store");
  await using inference = await startService("empty_inference", BARE);
  const collection = new URLSearchParams({ is_collection: "true" });
  const added = await fetch(`${store.url}/entity/`, { method: "POST", body: collection });
  assert.equal(added.status, 201, await added.text());
  const calls = [...await callsWithJson(store.url), ...await callsWithJson(inference.url)];
  assert.ok(calls.length >= 5, JSON.stringify(calls));
  for (const { method, url } of calls) {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "text/json", "json"]) {
      const answer = await fetch(url, asJson({}, method, { "Content-Type": type }));
      const { code } = await answer.json();
      assert.deepEqual([answer.status, code], [415, "unsupported_content_type"], `${url} ${type}`);
    }
    const charset = { "Content-Type": "Application/JSON; charset=utf-8" };
    const taken = await fetch(url, asJson({}, method, charset));
    await taken.body?.cancel();
    assert.notEqual(taken.status, 415, url);
    const long = await fetch(url, asJson({ long: "x".repeat(1024 * 1024) }, method));
    assert.deepEqual([long.status, (await long.json()).code], [413, "upload_too_large"], url);
  }
});

/** Every call whose body is JSON, as the service's own document says. */
async function callsWithJson(base: string): Promise<{ method: string; url: string }[]> {
  const { paths } = await (await fetch(`${base}/openapi.json`)).json();
  const operations = Object.entries<Record<string, { requestBody?: { content: object } }>>(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { requestBody }]) => ({ path, method, requestBody }))
    );
  return operations
    .filter(({ requestBody }) => "application/json" in (requestBody?.content ?? {}))
    .map(({ method, path }) => ({ method: method.toUpperCase(), url: base + filledIn(path) }));
}

Deno.test("what may not be in ALLOWED_HOSTS and ALLOWED_ORIGINS is said at the start", async () => {
  const wrong: [name: string, value: string][] = [
    ["ALLOWED_HOSTS", "http://nas.local"],
    ["ALLOWED_HOSTS", "nas.local:8000"],
    ["ALLOWED_HOSTS", "nas local"],
    ["ALLOWED_HOSTS", "nas.local/path"],
    ["ALLOWED_ORIGINS", "gallery.example"],
    ["ALLOWED_ORIGINS", "https://gallery.example/"],
    ["ALLOWED_ORIGINS", "https://gallery.example/page"],
    ["ALLOWED_ORIGINS", "*"],
    ["ALLOWED_ORIGINS", "null"],
  ];
  for (const [name, value] of wrong) {
    const { code, stderr } = await runServiceToEnd("media_store", { [name]: value });
    assert.equal(code, 2, `${name}=${value}`);
    assert.ok(stderr.includes(`${name} is "${value}": `), stderr);
    assert.match(stderr, /are expected, with commas between them, such as/);
  }
});
