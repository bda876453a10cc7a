import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";

/** The facts that a program logs which opens a log at level info, as JSON. */
async function logged(program: string): Promise<string[]> {
  await using folder = await temporaryFolder();
  const script = `${folder.path}/script.ts`;
  await Deno.writeTextFile(
    script,
    `import { openLog } from ${JSON.stringify(import.meta.resolve("./log.ts"))};
    const log = openLog("test", { LOG_LEVEL: "info", LOG_FORMAT: "json" });
    ${program}`,
  );
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", "--config", config, script],
  }).output();
  return new TextDecoder().decode(stderr).split("\n")
    .filter((line) => line.startsWith("{")).map((line) => JSON.parse(line).msg);
}

Deno.test("lines are written in order, and none is missing when the process ends", async () => {
  assert.deepEqual(await logged(`log.info("one"); log.info("two");`), ["one", "two"]);
  assert.deepEqual(await logged(`log.info("one"); Deno.exit(1);`), ["one"]);
});

Deno.test("a warning, and what was said before it, outlives a kill that comes right after it", async () => {
  const killed = `log.info("one"); log.warn("two"); Deno.kill(Deno.pid, "SIGKILL");`;
  assert.deepEqual(await logged(killed), ["one", "two"]);
});
