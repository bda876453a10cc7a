import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { processMetrics } from "./process_metrics.ts";

async function valueOf(registry: Registry, name: string): Promise<number> {
  const { values } = await registry.getSingleMetric(name)!.get();
  return values.at(-1)!.value;
}

Deno.test("memory and processor time of the process are told", async () => {
  const registry = new Registry();
  using _ = processMetrics(registry);
  const before = await valueOf(registry, "process_cpu_seconds_total");
  const until = performance.now() + 50;
  while (performance.now() < until);
  assert.ok(await valueOf(registry, "process_cpu_seconds_total") > before);
  const resident = await valueOf(registry, "process_resident_memory_bytes");
  assert.ok(resident > await valueOf(registry, "process_heap_bytes"));
  const started = await valueOf(registry, "process_start_time_seconds") * 1000;
  assert.ok(started <= Date.now() && started > Date.now() - 24 * 3600 * 1000);
});

Deno.test("a blocked event loop shows as lag", async () => {
  const registry = new Registry();
  using _ = processMetrics(registry);
  const blocked = performance.now() + 800;
  while (performance.now() < blocked);
  // Let the timer that is due have its turn.
  await new Promise((resolve) => setTimeout(resolve, 1));
  const { values } = await registry.getSingleMetric("event_loop_lag_seconds")!.get() as {
    values: { metricName?: string; value: number }[];
  };
  const sum = values.find(({ metricName }) => metricName === "event_loop_lag_seconds_sum");
  assert.ok(sum!.value >= 0.3, `lag was ${sum?.value} s`);
});
