import assert from "node:assert/strict";
import { measureMemory } from "./memory.ts";

/** A busy machine, and pages that the system is slow to take back, leave room between this and 1.25. */
const MOST = 1.5;

Deno.test("both services give their memory back after large and odd files", async () => {
  const idle = "2";
  const taken = await measureMemory({
    side: 3000,
    oddFiles: 6,
    restMs: 8000,
    env: [{ WORKER_IDLE_SECONDS: idle }, { THREAD_IDLE_SECONDS: idle }],
  });
  for (const [name, { served, highest, rested }] of Object.entries(taken)) {
    const said = `${name}: ${
      [served, highest, rested].map((bytes) => Math.round(bytes / 1e6)).join(", ")
    } MB`;
    assert.ok(highest > served, `${said}: nothing was done`);
    assert.ok(rested < MOST * served, said);
  }
});
