import { INFERENCE_RIGHTS, Problem } from "@fovea/contract";
import { assertDescribes, assertValid } from "@fovea/testing/api_document";
import assert from "node:assert/strict";
import pino from "pino";
import { Counter, Registry } from "prom-client";
import { accessGuard, EVERYBODY } from "./access.ts";
import { apiDocument } from "./api/mod.ts";
import { httpApp } from "./http_app.ts";
import { selfRoutes } from "./self_routes.ts";

const describe = () =>
  apiDocument({
    title: "A service",
    version: "1.2.3",
    description: "For tests.",
    paths: {},
    rights: INFERENCE_RIGHTS,
  });

function selfApp(access = EVERYBODY) {
  const metrics = new Registry();
  new Counter({ name: "things_total", help: "Things", registers: [metrics] }).inc(3);
  const app = httpApp({ log: pino({ level: "silent" }), metrics });
  app.use(accessGuard(access, INFERENCE_RIGHTS));
  app.route("/", selfRoutes({ name: "a-service", version: "1.2.3", describe, metrics }));
  app.get("/health", (c) => c.json({ status: "ok" }));
  return app;
}

Deno.test("the welcome says what the service is and where to read on", async () => {
  const { name, version, message } = await (await selfApp().request("/")).json();
  assert.deepEqual([name, version], ["a-service", "1.2.3"]);
  assert.match(message, /\/docs/);
});

Deno.test("the document is valid and describes these routes", async () => {
  const app = selfApp();
  const document = await (await app.request("/openapi.json")).json();
  await assertValid(document);
  assertDescribes(document, app);
});

Deno.test("the page finds all it links to in this service, each with its type", async () => {
  const app = selfApp();
  const page = await app.request("/docs");
  assert.match(page.headers.get("Content-Type") ?? "", /^text\/html/);
  const links = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
  const types = await Promise.all(links.map(async (link) => {
    const { pathname, host } = new URL(link, "http://service/docs");
    assert.equal(host, "service");
    const file = await app.request(pathname);
    assert.equal(file.status, 200, link);
    assert.ok((await file.arrayBuffer()).byteLength > 0);
    return file.headers.get("Content-Type")?.split(";")[0];
  }));
  assert.deepEqual(types, ["text/css", "image/png", "text/javascript", "text/javascript"]);
});

Deno.test("the page runs under a policy that allows nothing from elsewhere and nothing inline", async () => {
  const app = selfApp();
  const page = await app.request("/docs");
  const policy = page.headers.get("Content-Security-Policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(await page.text(), /<script>|<style>| on\w+=|https?:/);
  assert.match(await (await app.request("/docs/start.js")).text(), /url: "openapi.json"/);
});

Deno.test("/docs/ leads to /docs, and nothing lies beside the page's own files", async () => {
  const app = selfApp();
  const moved = await app.request("/docs/");
  assert.equal(moved.status, 302);
  assert.equal(moved.headers.get("Location"), "../docs");
  for (const name of ["index.js", "package.json", "..%2Fpackage.json", "constructor"]) {
    const answer = await app.request(`/docs/${name}`);
    assert.equal(answer.status, 404, name);
    assert.equal((await answer.json()).code, "route_not_found");
  }
});

Deno.test("figures are a read, the rest is open to everybody", async () => {
  const text = await (await selfApp().request("/metrics")).text();
  assert.match(text, /^things_total 3$/m);
  const guarded = selfApp({
    check: (right) => {
      if (right === "open") return Promise.resolve(null);
      return Promise.reject(new Problem("unauthorized", `the right ${right} is missing`));
    },
  });
  const refused = await guarded.request("/metrics");
  assert.equal(refused.status, 401);
  assert.match((await refused.json()).detail, /right read/);
  for (const path of ["/", "/docs", "/docs/start.js", "/openapi.json"]) {
    assert.equal((await guarded.request(path)).status, 200, path);
  }
});
