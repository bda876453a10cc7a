/**
 * What a service's process takes: memory, processor time, and how late its event loop is.
 *
 * prom-client's own defaults are of no use here: under Deno they report a resident memory and a lag
 * of 0.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/**
 * Milliseconds between two looks at the event loop's lag. A loop that is held up for so long is
 * noticed for certain, one held up for half of it every other time.
 */
const LOOK_INTERVAL_MS = 500;

/**
 * Adds the process's figures. Disposing of the result ends the timer that watches the event loop.
 */
export function processMetrics(registry: Registry): Disposable {
  const registers = [registry];
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, seconds since the epoch",
    registers,
  }).set(performance.timeOrigin / 1000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the whole process, all threads together",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });
  new Gauge({
    name: "process_heap_bytes",
    help: "JavaScript objects of the main thread",
    registers,
    collect() {
      this.set(Deno.memoryUsage().heapUsed);
    },
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Processor time of the whole process, all threads together",
    registers,
    collect() {
      const { user, system } = cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  return watchEventLoop(registry);
}

function watchEventLoop(registry: Registry): Disposable {
  const lag = new Histogram({
    name: "event_loop_lag_seconds",
    help: `By how much a timer of ${LOOK_INTERVAL_MS} ms is late`,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  let expected = performance.now() + LOOK_INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - expected) / 1000);
    expected = now + LOOK_INTERVAL_MS;
  }, LOOK_INTERVAL_MS);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
