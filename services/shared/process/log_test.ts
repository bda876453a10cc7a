import { endOf, temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";

/** What a program writes that opens a log at level info. */
async function written(
  program: string,
  format: "json" | "pretty",
  env: Record<string, string> = {},
): Promise<string[]> {
  await using folder = await temporaryFolder();
  const script = `${folder.path}/script.ts`;
  await Deno.writeTextFile(
    script,
    `import { openLog } from ${JSON.stringify(import.meta.resolve("./log.ts"))};
    const log = openLog("test", { LOG_LEVEL: "info", LOG_FORMAT: "${format}" });
    ${program}`,
  );
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const args = ["run", "--no-prompt", "--allow-all", "--config", config, script];
  return (await endOf(Deno.execPath(), { args, env })).stderr.split("\n");
}

/** The facts that a program logs as JSON. */
const logged = async (program: string): Promise<string[]> =>
  (await written(program, "json"))
    .filter((line) => line.startsWith("{")).map((line) => JSON.parse(line).msg);

Deno.test("lines are written in order, and none is missing when the process ends", async () => {
  assert.deepEqual(await logged(`log.info("one"); log.info("two");`), ["one", "two"]);
  assert.deepEqual(await logged(`log.info("one"); Deno.exit(1);`), ["one"]);
});

Deno.test("a warning, and what was said before it, outlives a kill that comes right after it", async () => {
  const killed = `log.info("one"); log.warn("two"); Deno.kill(Deno.pid, "SIGKILL");`;
  assert.deepEqual(await logged(killed), ["one", "two"]);
});

Deno.test("a person reads the time of their own clock, with its offset to UTC", async () => {
  const hourIn = async (TZ: string, offset: string) => {
    const [line = ""] = await written(`log.info("one");`, "pretty", { TZ, NO_COLOR: "1" });
    const time = line.match(/^\[(\d\d):\d\d:\d\d\.\d{3} ([+-]\d{4})\] INFO: one$/);
    assert.equal(time?.[2], offset, line);
    return Number(time![1]);
  };
  const [tokyo, utc] = [await hourIn("Asia/Tokyo", "+0900"), await hourIn("UTC", "+0000")];
  // The hour may have turned between the two.
  assert.ok([8, 9].includes((tokyo - utc + 24) % 24), `${tokyo} in Tokyo, ${utc} in UTC`);
});
