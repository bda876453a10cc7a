import assert from "node:assert/strict";
import { temporaryFolder } from "./temporary_folder.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Runs the launcher as its user does. */
async function fovea(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command("./fovea", { args, cwd: ROOT }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("./fovea alone says what there is to run, and all of it is a task", async () => {
  const { code, stdout } = await fovea();
  assert.equal(code, 0);
  assert.deepEqual(await fovea("--help"), { code, stdout, stderr: "" });

  const named = [...stdout.matchAll(/^ {2}([\w-]+) /gm)].map(([, name]) => name!);
  assert.ok(named.includes("demo") && named.includes("test"));
  const tasks = await Deno.readTextFile(new URL("deno.json", ROOT));
  for (const name of named) assert.match(tasks, new RegExp(`"${name}": "`));
});

Deno.test("./fovea with a task that is none says so, in one line", async () => {
  assert.deepEqual(await fovea("dmeo"), {
    code: 2,
    stdout: "",
    stderr: 'Cannot run "dmeo": there is no such task: see ./fovea --help\n',
  });
});

Deno.test("without deno on the PATH, npx fetches it, and it takes the launcher's place", async () => {
  await using folder = await temporaryFolder();
  const program = (name: string, text: string) =>
    Deno.writeTextFile(`${folder.path}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await Deno.mkdir(`${folder.path}/fetched`);
  await program("fetched/deno", 'echo "$$ $*"');
  // What npx does with --yes, --package and --.
  await program("npx", `shift 3; PATH="${folder.path}/fetched:$PATH" exec "$@"`);
  const child = new Deno.Command("./fovea", {
    args: ["demo"],
    cwd: ROOT,
    env: { PATH: `${folder.path}:/usr/bin:/bin` },
    stdout: "piped",
  }).spawn();
  const { stdout } = await child.output();
  // Were it a process beside the launcher, a signal to that one would not reach it.
  assert.equal(new TextDecoder().decode(stdout), `${child.pid} task --quiet demo\n`);
});
