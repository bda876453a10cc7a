import assert from "node:assert/strict";
import pino from "pino";
import { Registry } from "prom-client";
import { httpApp } from "./http_app.ts";

/** An app that answers, refuses and fails, and what it logs. */
function loggedApp() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "debug", formatters: { level: (level) => ({ level }) } }, {
    write: (line) => void lines.push(JSON.parse(line)),
  });
  const app = httpApp({ log, metrics: new Registry() });
  app.get("/", (c) => c.text("here"));
  app.post("/", (c) => c.text("done"));
  app.get("/broken", () => {
    throw new Error("a shelf fell down");
  });
  const request = (path: string, id?: string, method = "GET") =>
    app.request(path, { method, headers: id === undefined ? {} : { "X-Request-Id": id } });
  return { request, lines };
}

Deno.test("a request keeps the id it brings, in its answer and its log line", async () => {
  const { request, lines } = loggedApp();
  for (const id of ["a", "4bf92f35:77/b7.ad", "~".repeat(128)]) {
    const answer = await request("/", id);
    assert.equal(answer.headers.get("X-Request-Id"), id);
    assert.equal(lines.at(-1)?.request_id, id);
  }
});

Deno.test("a request without an id, or with one that would spoil a log, gets a new one", async () => {
  const { request, lines } = loggedApp();
  for (const id of [undefined, "", "a b", "a\tb", "é", "a".repeat(129)]) {
    const answer = await request("/", id);
    const given = answer.headers.get("X-Request-Id");
    assert.match(given ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(lines.at(-1)?.request_id, given);
  }
  assert.equal(new Set(lines.map((line) => line.request_id)).size, lines.length);
});

Deno.test("a problem carries the id under which the log says more", async () => {
  const { request, lines } = loggedApp();
  const missing = await request("/nowhere", "one");
  assert.equal((await missing.json()).request_id, "one");
  const broken = await request("/broken", "two");
  assert.equal(broken.headers.get("X-Request-Id"), "two");
  assert.equal((await broken.json()).request_id, "two");
  const [cause, line] = lines.filter((line) => line.request_id === "two");
  assert.match(JSON.stringify(cause), /a shelf fell down/);
  assert.deepEqual([line?.method, line?.path, line?.status], ["GET", "/broken", 500]);
});

Deno.test("reads are logged as debug, changes as info, the service's failures as warnings", async () => {
  const { request, lines } = loggedApp();
  await request("/");
  await request("/", undefined, "POST");
  await request("/broken");
  const levels = lines.filter(({ msg }) => msg === "request").map(({ level }) => level);
  assert.deepEqual(levels, ["debug", "info", "warn"]);
});
