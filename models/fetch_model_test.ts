import { Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fetchModel, type FetchOptions, findModel } from "./fetch_model.ts";
import { patterned, serveFile } from "./testing/file_server.ts";
import { type ModelEntry, modelsFor } from "./manifest.ts";

const bytes = patterned(300_000);
const sha256 = (of: Uint8Array) => createHash("sha256").update(of).digest("hex");

/** A model for faces that a server has. */
function hosted(url: string): ModelEntry {
  return {
    name: "hosted",
    aliases: [],
    task_type: "face_detection",
    auto: true,
    semantic: true,
    file: "hosted.onnx",
    bytes: bytes.length,
    sha256: sha256(bytes),
    licence: "MIT",
    source: { kind: "http", url, revision: "0".repeat(40) },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map((entry) => entry.name).sort();
}

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "expected a problem" });
}

Deno.test("a model is fetched from where the manifest says, and is then found", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  const modelsDir = `${folder.path}/made/on/the/way`;
  const entry = hosted(server.url);
  assert.equal(await findModel(entry, modelsDir), null);
  let last: [number, number] | undefined;
  const path = await fetchModel(entry, {
    modelsDir,
    onProgress: (received, total) => last = [received, total],
  });
  assert.deepEqual(await Deno.readFile(path), bytes);
  assert.deepEqual(await namesIn(modelsDir), ["hosted.onnx"]);
  assert.deepEqual(last, [300_000, 300_000]);
  assert.equal(await findModel(entry, modelsDir), path);
});

Deno.test("a model that is there needs neither a request nor the right to write", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  await Deno.writeFile(`${folder.path}/hosted.onnx`, bytes);
  await Deno.chmod(folder.path, 0o500);
  const path = await fetchModel(hosted(server.url), { modelsDir: folder.path });
  await Deno.chmod(folder.path, 0o700);
  assert.equal(path, `${folder.path}/hosted.onnx`);
  assert.deepEqual(server.ranges, []);
  assert.deepEqual(await namesIn(folder.path), ["hosted.onnx"]);
});

Deno.test("a wrong file under a model's name is moved aside, which is said, and fetched anew", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  const entry = hosted(server.url);
  const wrong = new TextEncoder().encode("version https://git-lfs");
  await Deno.writeFile(`${folder.path}/hosted.onnx`, wrong);
  assert.equal(await findModel(entry, folder.path), null);
  const notices: string[] = [];
  await fetchModel(entry, { modelsDir: folder.path, onNotice: (notice) => notices.push(notice) });
  assert.deepEqual(await Deno.readFile(`${folder.path}/hosted.onnx`), bytes);
  assert.deepEqual(await Deno.readFile(`${folder.path}/hosted.onnx.wrong`), wrong);
  assert.deepEqual(notices, [
    `hosted.onnx has sha256 ${sha256(wrong)} (23 bytes), expected ${sha256(bytes)} ` +
    "(300000 bytes): moved aside to hosted.onnx.wrong",
    `hosted: fetching 0.3 MB from ${new URL(server.url).host}`,
  ]);
});

Deno.test("a mirror folder is looked into before the network", async () => {
  await using folder = await temporaryFolder();
  await using mirror = await temporaryFolder();
  await using server = serveFile(bytes);
  await Deno.writeFile(`${mirror.path}/hosted.onnx`, bytes);
  const options = { modelsDir: folder.path, mirror: mirror.path };
  const path = await fetchModel(hosted(server.url), options);
  assert.equal(path, `${folder.path}/hosted.onnx`);
  assert.deepEqual(await Deno.readFile(path), bytes);
  assert.deepEqual(server.ranges, []);
});

Deno.test("a mirror may be a URL", async () => {
  await using folder = await temporaryFolder();
  await using mirror = serveFile(bytes);
  await using server = serveFile(bytes);
  const options = { modelsDir: folder.path, mirror: `${mirror.url}/models/` };
  const path = await fetchModel(hosted(server.url), options);
  assert.deepEqual(await Deno.readFile(path), bytes);
  assert.equal(mirror.ranges.length, 1);
  assert.deepEqual(server.ranges, []);
});

Deno.test("a mirror with a wrong file is passed over, with both digests said", async () => {
  await using folder = await temporaryFolder();
  await using mirror = await temporaryFolder();
  await using server = serveFile(bytes);
  const wrong = new Uint8Array(bytes.length);
  await Deno.writeFile(`${mirror.path}/hosted.onnx`, wrong);
  const notices: string[] = [];
  const path = await fetchModel(hosted(server.url), {
    modelsDir: folder.path,
    mirror: mirror.path,
    onNotice: (notice) => notices.push(notice),
  });
  assert.deepEqual(await Deno.readFile(path), bytes);
  assert.equal(
    notices[1],
    `hosted can't be had from MODEL_MIRROR (hosted.onnx has sha256 ${sha256(wrong)} ` +
      `(300000 bytes), expected ${sha256(bytes)} (300000 bytes))`,
  );
});

Deno.test("a wrong digest is an error with file, expected and got, and leaves nothing", async () => {
  await using folder = await temporaryFolder();
  const wrong = new Uint8Array(bytes.length);
  await using server = serveFile(wrong);
  const problem = await problemOf(fetchModel(hosted(server.url), { modelsDir: folder.path }));
  assert.equal(problem.code, "model_unavailable");
  assert.equal(
    problem.message,
    `Cannot fetch the model hosted from ${new URL(server.url).host} (hosted.onnx has sha256 ` +
      `${sha256(wrong)} (300000 bytes), expected ${sha256(bytes)} (300000 bytes)): put ` +
      "hosted.onnx into MODELS_DIR, or set MODEL_MIRROR to a folder or URL that has it",
  );
  assert.deepEqual(await namesIn(folder.path), []);
});

Deno.test("where nothing helps, the problem says what was tried and no path of the server", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes, [{ status: 404 }]);
  const entry: ModelEntry = { ...hosted(server.url), task_type: "image_embedding" };
  const options: FetchOptions = { modelsDir: folder.path, mirror: `${folder.path}/nowhere` };
  const problem = await problemOf(fetchModel(entry, options));
  assert.equal(
    problem.message,
    "Cannot fetch the model hosted from MODEL_MIRROR (has no hosted.onnx), nor from " +
      `${new URL(server.url).host} (answered 404): put hosted.onnx into MODELS_DIR, or set ` +
      "MODEL_MIRROR to a folder or URL that has it, or set EMBEDDING_MODEL=fixture, whose " +
      "results mean nothing",
  );
});

Deno.test("a MODELS_DIR that can't be one is a problem without its path", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const options = { modelsDir: `${folder.path}/file/models` };
  const problem = await problemOf(fetchModel(hosted(server.url), options));
  assert.equal(
    problem.message,
    "Cannot fetch the model hosted: MODELS_DIR can't be used: Not a directory (os error 20)",
  );
});

Deno.test("what an earlier run left is resumed", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  await Deno.writeFile(`${folder.path}/hosted.onnx.part`, bytes.subarray(0, 100_000));
  const path = await fetchModel(hosted(server.url), { modelsDir: folder.path });
  assert.deepEqual(await Deno.readFile(path), bytes);
  assert.deepEqual(server.ranges, ["bytes=100000-"]);
});

Deno.test("what an earlier run left is fetched again where it turns out wrong", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  await Deno.writeFile(`${folder.path}/hosted.onnx.part`, new Uint8Array(100_000));
  const path = await fetchModel(hosted(server.url), { modelsDir: folder.path });
  assert.deepEqual(await Deno.readFile(path), bytes);
  assert.deepEqual(server.ranges, ["bytes=100000-", null]);
});

Deno.test("of two that want a model at once, one fetches it for both", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes);
  const fetchOnce = () => fetchModel(hosted(server.url), { modelsDir: folder.path });
  const paths = await Promise.all([fetchOnce(), fetchOnce()]);
  assert.deepEqual(paths, Array(2).fill(`${folder.path}/hosted.onnx`));
  assert.deepEqual(await Deno.readFile(paths[0]!), bytes);
  assert.deepEqual(server.ranges, [null]);
});

Deno.test("fetching ends with the signal's reason, and keeps what there is", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes, [{ after: { bytes: 1000, then: "stall" } }]);
  const stop = new AbortController();
  const fetching = fetchModel(hosted(server.url), {
    modelsDir: folder.path,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error("stopped")),
  });
  await assert.rejects(fetching, new Error("stopped"));
  assert.deepEqual(await namesIn(folder.path), ["hosted.onnx.part"]);
  assert.equal((await Deno.stat(`${folder.path}/hosted.onnx.part`)).size, 1000);
});

Deno.test("the fixture is generated, without a network or a mirror", async () => {
  await using folder = await temporaryFolder();
  const [entry] = modelsFor("image_embedding", "fixture");
  const path = await fetchModel(entry!, {
    modelsDir: folder.path,
    mirror: folder.path,
    fetch: () => Promise.reject(new Error("there is no network")),
  });
  assert.equal(sha256(await Deno.readFile(path)), entry!.sha256);
});
