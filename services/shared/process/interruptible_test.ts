import { until } from "@fovea/testing";
import assert from "node:assert/strict";
import { BrokenOffError, interruptible, limitWork } from "./interruptible.ts";
import type { EndlessWork } from "./testing/endless_worker.ts";

const pause = (pauseMs: number) => new Promise((resolve) => setTimeout(resolve, pauseMs));

Deno.test("a thread that computes for ever gives its core back when its limit is over", async () => {
  for (const kind of ["JavaScript", "WebAssembly"] as const) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const count = new Int32Array(memory.buffer, 0, 1);
    const worker = new Worker(new URL("./testing/endless_worker.ts", import.meta.url), {
      type: "module",
    });
    const work: EndlessWork = { memory, kind, limitMs: 3000 };
    worker.postMessage(work);
    await until(`${kind} to begin`, () => count[0] !== 0);
    worker.terminate();
    await until(`${kind} to compute no more`, async () => {
      const before = count[0];
      await pause(500);
      return count[0] === before;
    });
  }
});

Deno.test("work gives its result, and fails as itself", () => {
  assert.equal(interruptible(() => 42), 42);
  limitWork(60_000);
  assert.equal(interruptible(() => 1 + interruptible(() => 41)), 42);
  const failure = new TypeError("no");
  assert.throws(() =>
    interruptible(() => {
      throw failure;
    }), (error) => error === failure);
  assert.equal(interruptible(() => 42), 42);
});

Deno.test("work that takes longer than its limit is broken off, and the thread goes on", () => {
  limitWork(1000);
  const endless = () => {
    while (true);
  };
  assert.throws(() => interruptible(endless), (error) => {
    assert.ok(error instanceof BrokenOffError);
    return error.limitMs === 1000;
  });
  limitWork(60_000);
  assert.equal(interruptible(() => 42), 42);
});

Deno.test("work that was kept waiting is told from work that computed", () => {
  limitWork(300);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const kept = () => {
    while (true) Atomics.wait(cell, 0, 0, 20);
  };
  assert.throws(() => interruptible(kept), (error) => {
    assert.ok(error instanceof BrokenOffError);
    assert.ok(error.computedMs < 150, `it computed ${error.computedMs} ms`);
    return true;
  });
  limitWork(60_000);
});
