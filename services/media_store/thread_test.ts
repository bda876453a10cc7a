import type { Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { scriptedThread } from "./testing/scripted_thread.ts";
import { Thread } from "./thread.ts";

/** Notes each start in a file, and answers most questions with themselves. */
const noted = (path: string) =>
  scriptedThread(
    `(question) => {
      if (question === "for ever") interruptible(() => { while (true); });
      if (question === "kept waiting") interruptible(keptWaiting);
      if (question === "dies later") setTimeout(() => { throw new Error("later"); }, 50);
      if (question === "fails") throw new TypeError("no such thing");
      return question;
    }`,
    `Deno.writeTextFileSync(${JSON.stringify(path)}, "x", { append: true });`,
  );

const codeOf = (code: string) => (error: Problem) => error.code === code;

Deno.test("questions are answered one after the other by one thread", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({ script: noted(starts), limitMs: 10_000 });
  const answers = await Promise.all(["a", "b", "c"].map((question) => thread.ask(question)));
  assert.deepEqual(answers, ["a", "b", "c"]);
  assert.equal(Deno.readTextFileSync(starts), "x");
  assert.equal(thread.waiting, 0);
});

Deno.test("a question that takes too long costs the thread, and those that wait are answered", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({ script: noted(starts), limitMs: 1000 });
  const overrun = thread.ask("for ever");
  const next = thread.ask("next");
  assert.equal(thread.waiting, 2);
  await assert.rejects(overrun, codeOf("deadline_exceeded"));
  assert.equal(await next, "next");
  // One more where the machine kept the first one waiting.
  assert.match(Deno.readTextFileSync(starts), /^xxx?$/);
});

Deno.test("a question whose thread was kept waiting is tried twice, and may be asked again", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({ script: noted(starts), limitMs: 300 });
  await assert.rejects(thread.ask("kept waiting"), codeOf("service_busy"));
  assert.equal(await thread.ask("next"), "next");
  assert.equal(Deno.readTextFileSync(starts), "xxx");
});

Deno.test("a thread that was kept waiting is given the time that it lacked", async () => {
  const script = scriptedThread(`(question) => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    return interruptible(() => Atomics.wait(cell, 0, 0, 600) && question);
  }`);
  using thread = new Thread<string, string>({ script, limitMs: 300 });
  assert.equal(await thread.ask("a"), "a");
});

Deno.test("the start of a thread counts for no question, however long it takes", async () => {
  const slow = scriptedThread("(question) => question", "await pause(3000);");
  using patient = new Thread<string, string>({ script: slow, limitMs: 500 });
  assert.equal(await patient.ask("a"), "a");
  using hasty = new Thread<string, string>({ script: slow, limitMs: 500, startLimitMs: 100 });
  await assert.rejects(hasty.ask("a"), codeOf("service_busy"));
});

Deno.test("a thread that dies with nothing to do is replaced before the next question", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({ script: noted(starts), limitMs: 10_000 });
  await thread.ask("dies later");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal(await thread.ask("next"), "next");
  assert.equal(Deno.readTextFileSync(starts), "xx");
});

Deno.test("what fails in a thread, or can't be started, is no fault of the question", async () => {
  await using folder = await temporaryFolder();
  using thread = new Thread<string, string>({
    script: noted(`${folder.path}/starts`),
    limitMs: 10_000,
  });
  await assert.rejects(
    thread.ask("fails"),
    /^Error: Cannot answer in a thread: TypeError: no such/,
  );
  assert.equal(await thread.ask("next"), "next");
  const none = scriptedThread("(question) => question", `throw new Error("no memory");`);
  using unable = new Thread<string, string>({ script: none, limitMs: 10_000 });
  await assert.rejects(unable.ask("a"), /^Error: Cannot start a thread: .*no memory/);
});

Deno.test("a thread that nobody asks ends, and comes back with the next question", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  const options = { script: noted(starts), limitMs: 10_000, idleMs: 20 };
  using thread = new Thread<string, string>(options);
  await thread.ask("a");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await thread.ask("b"), "b");
  assert.equal(Deno.readTextFileSync(starts), "xx");
});

Deno.test("a thread that was started and never asked ends, too", async () => {
  await using folder = await temporaryFolder();
  const starts = `${folder.path}/starts`;
  using thread = new Thread<string, string>({
    script: noted(starts),
    limitMs: 10_000,
    idleMs: 2000,
  });
  thread.start();
  await new Promise((resolve) => setTimeout(resolve, 4000));
  assert.equal(await thread.ask("a"), "a");
  assert.equal(Deno.readTextFileSync(starts), "xx");
});
