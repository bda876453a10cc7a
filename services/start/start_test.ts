import { endOf, runTask, temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { SETTING_NAMES } from "../inference/settings.ts";
import { mediaStoreSettings } from "../media_store/settings.ts";
import { commandOf, type ProgramName } from "./command.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a program can do that is started in place of another, with settings of its own. */
async function allowedTo(name: ProgramName, settings: Record<string, string> = {}) {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await endOf(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-env", "--allow-read", "--allow-ffi"],
      ...["services/start/testing/start_in_place.ts", name],
      "services/start/testing/trespass.ts",
    ],
    cwd: ROOT,
    env: { DATA_DIR: `${folder.path}/data`, MODELS_DIR: `${folder.path}/models`, ...settings },
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("media_store can write its own folder, read its own files, and nothing else", async () => {
  assert.deepEqual(await allowedTo("media-store"), [
    "write media_store's folder",
    "read its own program",
  ]);
});

Deno.test("inference can write its own folder and models, and nothing else", async () => {
  const allowed = await allowedTo("inference");
  assert.deepEqual(allowed, [
    "write inference's folder",
    "write MODELS_DIR",
    "read its own program",
  ]);
});

const flagsOf = (name: ProgramName, settings: Record<string, string>, args: string[] = []) =>
  commandOf(name, new Map(Object.entries(settings)), args);

Deno.test("files that settings name can be read, and the folder of a backup can be written", () => {
  const flag = (kind: string, flags: string[]) =>
    flags.find((flag) => flag.startsWith(`--allow-${kind}=`))?.split(/[=,]/).slice(1);
  const serving = flagsOf("media-store", { PUBLIC_KEY_PATH: "/keys/key.pem", DATA_DIR: "/d" });
  assert.ok(flag("read", serving)?.includes("/keys/key.pem"));
  assert.deepEqual(flag("write", serving), ["/d/media_store"]);
  assert.deepEqual(flag("net", serving), ["127.0.0.1:8000"]);
  const backup = flagsOf("media-store", { DATA_DIR: "/d" }, ["--backup", "/mnt/b"]);
  assert.deepEqual(flag("write", backup), ["/d/media_store", "/mnt/b"]);
  assert.equal(flag("net", backup), undefined);
});

Deno.test("a backup writes DATA_DIR and its target alone, reads no more than those, and calls nobody", () => {
  const flags = flagsOf("backup", { DATA_DIR: "/d" }, ["/mnt/b"]);
  assert.ok(flags.includes("--allow-write=/d,/mnt/b"), flags.join(" "));
  assert.match(flags.find((flag) => flag.startsWith("--allow-read="))!, /,\/d,\/mnt\/b$/);
  const kinds = flags.map((flag) => /^--allow-(\w+)/.exec(flag)?.[1]).filter((kind) => kind);
  assert.deepEqual(kinds.sort(), ["env", "read", "write"]);
  assert.ok(flags.includes("--allow-env=DATA_DIR"));
});

Deno.test("what fetches models writes MODELS_DIR alone, and runs nothing", () => {
  const flags = flagsOf("models", { MODELS_DIR: "/m" });
  assert.ok(flags.includes("--allow-write=/m"));
  assert.ok(flags.includes("--ignore-env"));
  const kinds = flags.map((flag) => /^--allow-(\w+)/.exec(flag)?.[1]).filter((kind) => kind);
  assert.deepEqual(kinds.sort(), ["env", "net", "read", "write"]);
  const allowed = flags.find((flag) => flag.startsWith("--allow-env="))!;
  assert.match(allowed, /HTTPS_PROXY.*npm_config_\*.*MODELS_DIR/);
  assert.doesNotMatch(allowed, /FOVEA_TOKEN|PATH|DATA_DIR/);
});

Deno.test("a comma in a path is none between two", () => {
  const flags = flagsOf("media-store", { DATA_DIR: "/a,b" });
  assert.ok(flags.includes("--allow-write=/a,,b/media_store"));
});

Deno.test("the native backend may run native code out of one folder, and nothing else besides", () => {
  const plain = flagsOf("inference", {});
  const more = flagsOf("inference", { INFERENCE_BACKEND: "native" })
    .filter((flag) => !plain.includes(flag));
  const folder = new URL("services/inference/native", ROOT).pathname;
  assert.deepEqual(more, [`--allow-ffi=${folder}`, "--unstable-detect-cjs"]);
});

Deno.test("help is given whatever the settings are, wrong ones are all named", async () => {
  const run = (...args: string[]) =>
    runTask("media-store", args, { MEDIA_STORE_PORT: "no", MAX_IMAGE_PIXELS: "0" });
  const help = await run("--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: /);
  const { code, stderr } = await run();
  assert.equal(code, 2);
  assert.match(stderr, /MAX_IMAGE_PIXELS[^]*MEDIA_STORE_PORT/);
});

Deno.test("every setting that a service reads is explained on the page of settings", async () => {
  const page = await Deno.readTextFile(new URL("services/SETTINGS.md", ROOT));
  const explained = new Set(page.match(/(?<=`)[A-Z][A-Z_]+(?=`)/g));
  const read = [...SETTING_NAMES, ...Object.keys(mediaStoreSettings.shape)];
  assert.deepEqual(read.filter((name) => !explained.has(name)), []);
});
