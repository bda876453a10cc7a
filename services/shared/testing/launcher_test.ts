import assert from "node:assert/strict";
import { endOf, type ProgramEnd } from "./program_end.ts";
import { startService } from "./service.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { within } from "./until.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Runs the launcher as its user does. */
async function fovea(...args: string[]): Promise<ProgramEnd> {
  return await endOf("./fovea", { args, cwd: ROOT });
}

/** A folder of programs, each a line of shell. */
async function programs(folder: string, lines: Record<string, string>): Promise<void> {
  for (const [name, line] of Object.entries(lines)) {
    await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
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
  // A pattern that fits, and a name that stands elsewhere in deno.json, are none either.
  for (const name of ["dmeo", "media.store", "zod"]) {
    assert.deepEqual(await fovea(name), {
      code: 2,
      stdout: "",
      stderr: `Cannot run "${name}": there is no such task: see ./fovea --help\n`,
    });
  }
});

Deno.test("without deno on the PATH, npx fetches it, and it takes the launcher's place", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/fetched`);
  await programs(`${folder.path}/fetched`, { deno: 'echo "$$ $*"' });
  // What npx does with --yes, --package and --.
  await programs(folder.path, {
    npx: `shift 3; PATH="${folder.path}/fetched:$PATH" exec "$@"`,
  });
  const child = new Deno.Command("./fovea", {
    args: ["demo"],
    cwd: ROOT,
    env: { PATH: `${folder.path}:/usr/bin:/bin` },
    stdout: "piped",
  }).spawn();
  const { stdout } = await within("the end of ./fovea", child.output());
  // Were it a process beside the launcher, a signal to that one would not reach it.
  assert.equal(new TextDecoder().decode(stdout), `${child.pid} task --quiet demo\n`);
});

Deno.test("a version of Deno that is not tested is named, with those that are, and taken", async () => {
  await using folder = await temporaryFolder();
  const withDeno = async (version: string) => {
    const deno = `[ "$1" = --version ] && echo "deno ${version} (stable)" || echo "$*"`;
    await programs(folder.path, { deno });
    const env = { PATH: `${folder.path}:/usr/bin:/bin` };
    return await endOf("./fovea", { args: ["demo"], cwd: ROOT, env });
  };
  assert.deepEqual(await withDeno("2.7.11"), {
    code: 0,
    stdout: "task --quiet demo\n",
    stderr: "",
  });
  const { code, stdout, stderr } = await withDeno("2.8.0");
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "task --quiet demo\n" });
  assert.match(stderr, /^Deno 2\.8\.0 is installed; .* tested with Deno 2\.7\.11 and \d[^\n]+\n$/);
});

Deno.test("through links, and from another folder, paths are those of where the user stands", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await Deno.symlink(new URL("fovea", ROOT), `${path}/link`);
  await Deno.symlink("link", `${path}/fovea`);
  const there = (args: string[]) =>
    endOf("./fovea", {
      args,
      cwd: path,
      env: { DATA_DIR: "./mine", MODELS_DIR: "./models", MODEL_MIRROR: "" },
    });
  {
    await using service = await startService("media_store", { DATA_DIR: `${path}/mine` });
    await service.kill("SIGTERM");
  }
  const check = await there(["media-store", "--check"]);
  assert.deepEqual({ ...check, stderr: "" }, {
    code: 0,
    stdout: "checked 0 files, 0.0 MB, and the database: nothing is wrong\n",
    stderr: "",
  });
  assert.equal((await there(["media-store", "--backup", "./backup"])).code, 0);
  assert.ok((await Deno.stat(`${path}/backup/media_store/entities.sqlite`)).isFile);
  assert.equal((await there(["models", "fixture"])).code, 0);
  assert.ok([...Deno.readDirSync(`${path}/models`)].length > 0);
});

Deno.test("one file's tests can be run alone, and one of them", async () => {
  const file = "services/shared/process/public_address_test.ts";
  const all = await fovea("test", "--no-check", file);
  assert.equal(all.code, 0, all.stderr);
  const names = [...all.stdout.matchAll(/^(.+) \.\.\. ok/gm)].map(([, name]) => name!);
  assert.ok(names.length > 1, all.stdout);
  const one = await fovea("test", "--no-check", file, "--filter", names[1]!);
  assert.equal(one.code, 0, one.stderr);
  assert.match(one.stdout, /^ok \| 1 passed \| 0 failed/m);
  assert.ok(one.stdout.includes(`${names[1]} ... ok`) && !one.stdout.includes(names[0]!));
});
