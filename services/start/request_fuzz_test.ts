/**
 * Requests made from each service's own API document, and spoilt: no answer 500, none later than 10
 * seconds, and a service that goes on.
 *
 * @module
 */
import { type ServiceProcess, startService, within } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import { randomOf } from "@fovea/pictures/testing/mutated_pictures";
import assert from "node:assert/strict";

const REQUESTS_A_SERVICE = 1000;
const AT_A_TIME = 8;
const LIMIT_MS = 10_000;

/** The same again: `FUZZ_SEED=… deno test …`. */
const seed = Number(Deno.env.get("FUZZ_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]) ||
  1;

interface Call {
  method: string;
  path: string;
  query: string[];
  /** By content type, the names of its members. */
  bodies: [type: string, members: string[]][];
}

type Random = (limit: number) => number;

const pick = <T>(random: Random, values: readonly T[]): T => values[random(values.length)]!;

// deno-lint-ignore no-explicit-any -- a document from outside, looked at as far as it goes
type Json = any;

/** The calls of an OpenAPI document. */
function callsOf(document: Json): Call[] {
  const resolve = (schema: Json): Json =>
    schema?.$ref === undefined
      ? schema
      : resolve(document.components.schemas[schema.$ref.split("/").at(-1)]);
  const membersOf = (schema: Json): string[] => {
    const { properties = {}, anyOf = [], oneOf = [], allOf = [] } = resolve(schema) ?? {};
    return [...Object.keys(properties), ...[...anyOf, ...oneOf, ...allOf].flatMap(membersOf)];
  };
  return Object.entries<Json>(document.paths).flatMap(([path, operations]) =>
    Object.entries<Json>(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      query: (operation.parameters ?? []).filter((p: Json) => p.in === "query")
        .map((p: Json) => p.name),
      bodies: Object.entries<Json>(operation.requestBody?.content ?? {})
        .map(([type, { schema }]) => [type, membersOf(schema)] as [string, string[]]),
    }))
  );
}

/** Values as JSON writes them, most of which no member takes. */
const VALUES = [
  "1",
  "0",
  "-1",
  "1.5",
  "1e400",
  "-0",
  "NaN",
  "Infinity",
  "9007199254740993",
  "true",
  "false",
  "null",
  '""',
  '"1"',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  "[]",
  "{}",
  "[1]",
  '{"a": 1}',
  `"${"x".repeat(100_000)}"`,
  `${"[".repeat(5000)}${"]".repeat(5000)}`,
  `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`,
  '"../../etc/passwd"',
  "[null, [[]], {}]",
  '"9f1c2a9e-3c1c-4f0e-9a38-000000000000"',
  '{"__proto__": {"x": 1}}',
];

/** What may stand in a path or a query. */
const TEXTS = [
  "1",
  "0",
  "-1",
  "1.5",
  "1e3",
  "0x10",
  "NaN",
  "null",
  "true",
  "",
  " ",
  "%00",
  "%ff",
  "..%2f..",
  "a",
  "9007199254740993",
  "99999999999999999999",
  "%F0%9F%98%80",
  "'%20OR%201=1--",
  "x".repeat(2000),
  "9f1c2a9e-3c1c-4f0e-9a38-000000000000",
  "image_embedding",
  "face_detection",
  "[1]",
  "a&b=c",
  "type:image",
  "mime_type:",
  "%25",
  "*",
];

const TYPES = [
  "application/json",
  "APPLICATION/JSON; charset=x",
  "text/plain",
  "multipart/form-data",
  "multipart/form-data; boundary=b",
  "application/x-www-form-urlencoded",
  "image/png",
  "",
  "/",
];

interface Spoilt {
  method: string;
  path: string;
  headers: [string, string][];
  /** As it is written on the connection, in chunks where it says so. */
  body: string;
  chunked: boolean;
}

function spoilt(random: Random, calls: readonly Call[]): Spoilt {
  const call = pick(random, calls);
  const method = random(12) === 0
    ? pick(random, ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
    : call.method;
  const path = call.path.replaceAll(/\{\w+\}/g, () => pick(random, TEXTS).replace(/ /g, "%20"));
  const query = [...call.query, "unknown"].filter(() => random(3) === 0)
    .map((name) => `${name}=${pick(random, TEXTS).replaceAll(" ", "%20")}`).join("&");
  const [type, members] = call.bodies.length === 0
    ? ["application/json", ["a"]] as [string, string[]]
    : pick(random, call.bodies);
  const hasBody = call.bodies.length > 0 || random(10) === 0;
  const sentType = random(6) === 0
    ? pick(random, TYPES)
    : type.startsWith("multipart")
    ? `${type}; boundary=b`
    : type;
  const headers: [string, string][] = [["Content-Type", sentType]];
  if (random(20) === 0) headers.push(["Content-Encoding", "gzip"]);
  if (random(20) === 0) headers.push(["Range", pick(random, ["bytes=-1", "bytes=5-1", "x=y"])]);
  if (random(20) === 0) headers.push(["If-Match", pick(random, ["*", '"x"', "x", ""])]);
  if (random(20) === 0) headers.push(["Last-Event-ID", pick(random, ["-1", "x", "1", "1e9"])]);
  return {
    method,
    path: query === "" ? path : `${path}?${query}`,
    headers,
    body: hasBody ? bodyOf(random, type, members) : "",
    chunked: hasBody && random(4) === 0,
  };
}

function bodyOf(random: Random, type: string, members: string[]): string {
  if (random(10) === 0) {
    return pick(random, ["", "{", "\0", "\xff\xfe{}", "--b", "null", "[", "=&="]);
  }
  const chosen = [...members, "unknown"].filter(() => random(3) > 0);
  if (type.includes("json")) {
    if (random(8) === 0) return pick(random, VALUES);
    return `{${chosen.map((name) => `"${name}": ${pick(random, VALUES)}`)}}`;
  }
  if (type.includes("urlencoded")) {
    return chosen.map((name) => `${name}=${pick(random, TEXTS)}`).join("&");
  }
  const parts = chosen.map((name) => {
    const file = random(3) === 0
      ? `; filename="${pick(random, ["a.png", "", "..\\x", "\xff"])}"`
      : "";
    const content = pick(random, TEXTS);
    return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
  });
  return parts.join("") + pick(random, ["--b--\r\n", "--b--", "--b", ""]);
}

/** Sends it on a connection of its own. @returns the status; 0 where the connection just ended */
async function statusOf(
  service: ServiceProcess,
  { method, path, headers, body, chunked }: Spoilt,
  random: Random,
): Promise<number> {
  const { hostname, port } = new URL(service.url);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  const length = new TextEncoder().encode(body).length.toString(chunked ? 16 : 10);
  const breaks = random(3) === 0;
  const lines = [
    ...headers,
    ["Host", `${hostname}:${port}`],
    ["Connection", "close"],
    chunked ? ["Transfer-Encoding", "chunked"] : ["Content-Length", length],
  ].map(([name, value]) => `${name}: ${value}\r\n`);
  const sent = chunked
    ? `${length}\r\n${body}\r\n${breaks ? "zz\r\n\r\n" : length === "0" ? "\r\n" : "0\r\n\r\n"}`
    : body;
  const head = `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
  try {
    await send(conn, new TextEncoder().encode(head + sent));
  } catch {
    // It has been answered before all was sent.
  }
  const buffer = new Uint8Array(4096);
  const count = await conn.read(buffer).catch(() => null);
  const answer = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  return Number(answer.match(/^HTTP\/1\.1 (\d+)/)?.[1] ?? 0);
}

async function send(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function survivesFuzz(service: ServiceProcess): Promise<void> {
  console.log(`FUZZ_SEED=${seed}`);
  const random = randomOf(seed);
  const calls = callsOf(await (await fetch(`${service.url}/openapi.json`)).json());
  assert.ok(calls.length > 5);
  let left = REQUESTS_A_SERVICE;
  const statuses = new Map<number, number>();
  const sender = async () => {
    while (left-- > 0) {
      const request = spoilt(random, calls);
      const shown = JSON.stringify(request).slice(0, 400);
      const status = await within(
        `the answer to ${shown}, FUZZ_SEED=${seed}`,
        statusOf(service, request, random),
        LIMIT_MS,
      );
      assert.notEqual(status, 500, `${shown}, FUZZ_SEED=${seed}: ${lastError(service)}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, sender));
  const health = await fetch(`${service.url}/health`, { signal: AbortSignal.timeout(LIMIT_MS) });
  assert.equal(await health.text(), '{"status":"ok"}');
  // Among them are some that are right, and each kind of refusal.
  for (const status of [200, 400, 404, 405, 415, 422]) {
    assert.ok(statuses.has(status), `no answer was ${status}: ${JSON.stringify([...statuses])}`);
  }
  assert.equal((await service.kill("SIGTERM")).code, 0);
}

const lastError = (service: ServiceProcess) =>
  JSON.stringify(service.log().findLast(({ level }) => level === "error"));

Deno.test("media_store answers spoilt requests, none of them with 500", async () => {
  await using service = await startService("media_store");
  await survivesFuzz(service);
});

Deno.test("inference answers spoilt requests, none of them with 500", async () => {
  await using service = await startService("empty_inference", BARE);
  await survivesFuzz(service);
});
