import assert from "node:assert/strict";
import { interruptible, limitWork } from "./interruptible.ts";
import type { EndlessWork } from "./testing/endless_worker.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

Deno.test("a thread that computes for ever gives its core back when its limit is over", async () => {
  for (const kind of ["JavaScript", "WebAssembly"] as const) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const count = new Int32Array(memory.buffer, 0, 1);
    const worker = new Worker(new URL("./testing/endless_worker.ts", import.meta.url), {
      type: "module",
    });
    const work: EndlessWork = { memory, kind, limitMs: 3000 };
    worker.postMessage(work);
    for (const until = performance.now() + 20_000; count[0] === 0; await pause(20)) {
      assert.ok(performance.now() < until, `${kind}: it has not begun after 20 s`);
    }
    worker.terminate();
    let before: number;
    const until = performance.now() + 20_000;
    do {
      assert.ok(performance.now() < until, `${kind}: it still computes after 20 s`);
      before = count[0]!;
      await pause(500);
    } while (count[0] !== before);
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
  limitWork(50);
  assert.throws(() =>
    interruptible(() => {
      while (true);
    }), { code: "ERR_SCRIPT_EXECUTION_TIMEOUT" });
  limitWork(60_000);
  assert.equal(interruptible(() => 42), 42);
});
