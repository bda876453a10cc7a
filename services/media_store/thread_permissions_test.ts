import { threadPermissions } from "@fovea/process/permissions";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { scriptedThread } from "./testing/scripted_thread.ts";
import { Thread } from "./thread.ts";

Deno.test("a thread that reads what others have sent may read the store, and nothing else", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/picture`, "x");
  const script = scriptedThread(`async (store) => {
    const tries = {
      "read the store": () => Deno.readTextFile(store + "/picture"),
      "write the store": () => Deno.writeTextFile(store + "/picture", "y"),
      "remove from the store": () => Deno.remove(store + "/picture"),
      "read the host's users": () => Deno.readTextFile("/etc/passwd"),
      "read a variable": () => Deno.env.get("PUBLIC_KEY_PATH"),
      "run a program": () => new Deno.Command("true").output(),
      "ask who runs it": () => Deno.uid(),
      "call somebody": () => fetch("http://127.0.0.1:10000/"),
      "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
    };
    const outcomes = {};
    for (const [what, attempt] of Object.entries(tries)) {
      outcomes[what] = await Promise.resolve().then(attempt).then(() => "done", ({ name }) => name);
    }
    return outcomes;
  }`);
  const permissions = threadPermissions([folder.path]);
  using thread = new Thread<string, unknown>({ script, limitMs: 30_000, permissions });
  assert.deepEqual(await thread.ask(folder.path), {
    "read the store": "done",
    "write the store": "NotCapable",
    "remove from the store": "NotCapable",
    "read the host's users": "NotCapable",
    "read a variable": "NotCapable",
    "run a program": "NotCapable",
    "ask who runs it": "NotCapable",
    "call somebody": "NotCapable",
    "listen": "NotCapable",
  });
});
