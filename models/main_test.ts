import { endOf, type Need, temporaryFolder, testNeeding, until, within } from "@fovea/testing";
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { serveFile } from "./testing/file_server.ts";
import { MODELS } from "./manifest.ts";

function optionsOf(args: string[], env: Record<string, string>): Deno.CommandOptions {
  return {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--allow-env=MODELS_DIR,MODEL_MIRROR,HOME,npm_config_*",
      "--ignore-env",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      new URL("./main.ts", import.meta.url).pathname,
      ...args,
    ],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  };
}

const run = (args: string[], env: Record<string, string>) =>
  endOf(Deno.execPath(), optionsOf(args, env));

const named = (name: string) => MODELS.find((model) => model.name === name)!;
const fixture = named("clip-vit-b-32-fixture");
const yunet = named("yunet-2023mar");
const ultraface = named("ultraface-rfb-320");

Deno.test("models are fetched by name, and listed as verified then", async () => {
  await using folder = await temporaryFolder();
  const env = { MODELS_DIR: folder.path };
  const fetched = await run(["fixture"], env);
  assert.equal(fetched.code, 0, fetched.stderr);
  assert.equal(fetched.stdout, `${fixture.name}: verified, ${folder.path}/${fixture.file}\n`);
  assert.equal(fetched.stderr, `${fixture.name}: fetching 9.9 MB from its generator\n`);

  const listed = await run(["--list"], env);
  assert.equal(listed.code, 0);
  const states = listed.stdout.trim().split("\n").slice(1).map((line) => line.split(/ {2,}/));
  assert.deepEqual(
    states.map((cells) => [cells[0], cells.at(-1)]),
    MODELS.map((model) => [model.name, model === fixture ? "verified" : "missing"]),
  );
});

Deno.test("a model that can't be fetched doesn't keep the others from coming", async () => {
  await using folder = await temporaryFolder();
  await using mirror = serveFile(new Uint8Array(yunet.bytes));
  // The hub must not help out: a proxy that isn't there stands before it.
  const env = {
    MODELS_DIR: folder.path,
    MODEL_MIRROR: mirror.url,
    HTTPS_PROXY: "http://127.0.0.1:1",
  };
  const { code, stdout, stderr } = await run([yunet.name, "fixture"], env);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot fetch the model yunet-2023mar from MODEL_MIRROR \(.*expected 8f2383/,
  );
  assert.equal(stdout, `${fixture.name}: verified, ${folder.path}/${fixture.file}\n`);
});

Deno.test("a wrong option or name is wrong usage", async () => {
  const option = await run(["--lost"], {});
  assert.equal(option.code, 2);
  assert.match(option.stderr, /--lost[^]*Usage: .\/fovea models/);
  const name = await run(["clippy"], {});
  assert.equal(name.code, 2);
  assert.match(name.stderr, /^Cannot fetch the model "clippy": it is none of clip-vit-b-32, /);
});

Deno.test("processes that fetch the same model at once don't spoil it", async () => {
  await using folder = await temporaryFolder();
  const runs = [1, 2, 3].map(() => run(["fixture"], { MODELS_DIR: folder.path }));
  for (const { code, stderr } of await Promise.all(runs)) assert.equal(code, 0, stderr);
  const listed = await run(["--list", "fixture"], { MODELS_DIR: folder.path });
  assert.match(listed.stdout, /verified\n$/);
  assert.equal((await Array.fromAsync(Deno.readDir(folder.path))).length, 1);
});

Deno.test("a process killed half-way leaves nothing under the name, and the next one goes on", async () => {
  await using elsewhere = await temporaryFolder();
  await run([ultraface.name], { MODELS_DIR: elsewhere.path });
  const bytes = await Deno.readFile(`${elsewhere.path}/${ultraface.file}`);
  const half = 600_000;
  await using mirror = serveFile(bytes, [{ after: { bytes: half, then: "stall" } }]);
  await using folder = await temporaryFolder();
  const env = { MODELS_DIR: folder.path, MODEL_MIRROR: mirror.url };

  const process = new Deno.Command(Deno.execPath(), optionsOf([ultraface.name], env)).spawn();
  const output = process.output();
  const partial = `${folder.path}/${ultraface.file}.part`;
  await until(`${half} bytes`, async () => await sizeOf(partial) >= half);
  process.kill("SIGKILL");
  await within("the end of the process", output);
  const left = await Array.fromAsync(Deno.readDir(folder.path));
  assert.deepEqual(left.map((entry) => entry.name), [`${ultraface.file}.part`]);

  const { code, stderr } = await run([ultraface.name], env);
  assert.equal(code, 0, stderr);
  assert.deepEqual(mirror.ranges, [null, `bytes=${half}-`]);
  assert.deepEqual(await Deno.readFile(`${folder.path}/${ultraface.file}`), bytes);
});

const script: Need = {
  isThere: new Deno.Command("sh", { args: ["-c", "command -v script"], stdout: "null" })
    .outputSync().success,
  what: "script (apt-get install bsdutils)",
};

testNeeding([script], "Ctrl-C gives the terminal back as it was", async () => {
  const bytes = new Uint8Array(ultraface.bytes);
  await using mirror = serveFile(bytes, [{ after: { bytes: 600_000, then: "stall" } }]);
  await using folder = await temporaryFolder();
  const process = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", `./fovea models ${ultraface.name}`, "/dev/null"],
    cwd: new URL("../", import.meta.url),
    env: {
      MODELS_DIR: folder.path,
      MODEL_MIRROR: mirror.url,
      PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`,
    },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  using _limit = endAfter(process, 60_000);
  const keyboard = process.stdin.getWriter();
  let screen = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    const half = screen.includes(" 49 %");
    screen += text;
    if (!half && screen.includes(" 49 %")) await keyboard.write(new TextEncoder().encode("\x03"));
  }
  const { code } = await process.status;
  await keyboard.close().catch(() => {/* The terminal is gone. */});
  assert.equal(code, 130, screen);
  const last = (mode: string) => screen.lastIndexOf(`\x1b[?${mode}`);
  assert.ok(last("25l") >= 0 && last("25h") > last("25l"), "the cursor stays hidden");
  assert.ok(last("7l") >= 0 && last("7h") > last("7l"), "lines stay cut");
});

/** Ends a process that does not end by itself. */
function endAfter(process: Deno.ChildProcess, limitMs: number): Disposable {
  const timer = setTimeout(() => process.kill("SIGKILL"), limitMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
