import assert from "node:assert/strict";
import { endOf } from "./program_end.ts";

Deno.test("a program's exit code and its words are given", async () => {
  const end = await endOf("sh", { args: ["-c", "echo out; echo err >&2; exit 3"] });
  assert.deepEqual(end, { code: 3, stdout: "out\n", stderr: "err\n" });
});

Deno.test("a program that does not end is killed, and named", async () => {
  await assert.rejects(endOf("sleep", { args: ["600"] }, 50), {
    message: "Waited 0.05 s in vain for the end of sleep 600",
  });
});
