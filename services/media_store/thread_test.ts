import type { Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { Thread } from "./thread.ts";

const script = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

/** Notes each start in a file, and answers a question with itself, once it is not "for ever". */
const noted = (path: string) =>
  script(`
    Deno.writeTextFileSync(${JSON.stringify(path)}, "x", { append: true });
    self.onmessage = ({ data }) => {
      while (data === "for ever");
      self.postMessage(data);
    };
  `);

Deno.test("questions are answered one after the other by one thread", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({ script: noted(starts), deadlineMs: 10_000 });
  const answers = await Promise.all(["a", "b", "c"].map((question) => thread.ask(question)));
  assert.deepEqual(answers, ["a", "b", "c"]);
  assert.equal(Deno.readTextFileSync(starts), "x");
  assert.equal(thread.waiting, 0);
});

Deno.test("a question that takes too long costs the thread, and those that wait are answered", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({ script: noted(starts), deadlineMs: 1000 });
  const overrun = thread.ask("for ever");
  const next = thread.ask("next");
  assert.equal(thread.waiting, 2);
  await assert.rejects(overrun, (error: Problem) => error.code === "deadline_exceeded");
  assert.equal(await next, "next");
  assert.equal(Deno.readTextFileSync(starts), "xx");
});

Deno.test("a thread that nobody asks ends, and comes back with the next question", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  const options = { script: noted(starts), deadlineMs: 10_000, idleMs: 20 };
  using thread = new Thread<string, string>(options);
  await thread.ask("a");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await thread.ask("b"), "b");
  assert.equal(Deno.readTextFileSync(starts), "xx");
});
