import { Hono } from "hono";
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { requestMetrics } from "./request_metrics.ts";

/** The counted requests, as "method route status": how often. */
async function counts(registry: Registry): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric("http_requests_total")!.get();
  return Object.fromEntries(
    metric.values.map(({ labels: { method, route, status }, value }) => [
      `${method} ${route} ${status}`,
      value,
    ]),
  );
}

function countingApp() {
  const registry = new Registry();
  const app = new Hono({ strict: false });
  app.use(requestMetrics(registry));
  app.onError((_error, c) => c.text("sorry", 500));
  const things = new Hono({ strict: false });
  things.use("/:id", (_c, next) => next());
  things.get("/:id", (c) => c.text(c.req.param("id")));
  things.delete("/:id", () => {
    throw new Error("not this one");
  });
  app.route("/thing", things);
  return { app, registry };
}

Deno.test("requests are counted by method, pattern of their route and status", async () => {
  const { app, registry } = countingApp();
  for (const id of ["1", "2", "2/"]) await app.request(`/thing/${id}`);
  await app.request("/thing/1", { method: "HEAD" });
  await app.request("/thing/1", { method: "DELETE" });
  assert.deepEqual(await counts(registry), {
    "GET /thing/:id 200": 3,
    "HEAD /thing/:id 200": 1,
    "DELETE /thing/:id 500": 1,
  });
});

Deno.test("what no route answers is one figure, whatever it was called", async () => {
  const { app, registry } = countingApp();
  for (let i = 0; i < 100; i++) await app.request(`/${i}`, { method: `M${i}` });
  await app.request("/thing/1/2");
  assert.deepEqual(await counts(registry), {
    "other unmatched 404": 100,
    "GET unmatched 404": 1,
  });
});

Deno.test("a request's duration counts in every bucket that is wide enough", async () => {
  const { app, registry } = countingApp();
  app.get("/slow", async (c) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return c.text("at last");
  });
  await app.request("/slow");
  const lines = (await registry.metrics()).split("\n")
    .filter((line) => line.startsWith("http_request_duration_seconds_bucket"));
  const filled = (le: string) => lines.find((line) => line.includes(`le="${le}"`))?.split(" ")[1];
  assert.deepEqual([filled("0.025"), filled("+Inf")], ["0", "1"]);
});
