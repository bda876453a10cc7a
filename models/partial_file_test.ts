import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { temporaryFolder, within } from "@fovea/testing";
import { patterned } from "./testing/file_server.ts";
import { PartialFile } from "./partial_file.ts";

const bytes = patterned(3000);
const expected = {
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
};

async function names(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map((entry) => entry.name).sort();
}

Deno.test("a file has its name only once all its bytes are there and right", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await using partial = await PartialFile.open(path, expected);
  await partial.append(bytes.subarray(0, 1000));
  await partial.append(bytes.subarray(1000));
  assert.deepEqual(await names(folder.path), ["a.onnx.part"]);
  await partial.finish();
  assert.deepEqual(await names(folder.path), ["a.onnx"]);
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("a partial file left behind is resumed, and its bytes count for the digest", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  {
    await using first = await PartialFile.open(path, expected);
    await first.append(bytes.subarray(0, 1000));
  }
  await using second = await PartialFile.open(path, expected);
  assert.equal(second.received, 1000);
  await second.append(bytes.subarray(1000));
  await second.finish();
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("wrong bytes never get the name, and are dropped", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  {
    await using partial = await PartialFile.open(path, expected);
    await partial.append(new Uint8Array(expected.bytes));
    const zeros = createHash("sha256").update(new Uint8Array(expected.bytes)).digest("hex");
    await assert.rejects(
      () => partial.finish(),
      new Error(
        `a.onnx has sha256 ${zeros} (3000 bytes), expected ${expected.sha256} (3000 bytes)`,
      ),
    );
  }
  assert.deepEqual(await names(folder.path), []);
});

Deno.test("too few bytes never get the name", async () => {
  await using folder = await temporaryFolder();
  await using partial = await PartialFile.open(`${folder.path}/a.onnx`, expected);
  await partial.append(bytes.subarray(0, 2999));
  await assert.rejects(() => partial.finish(), /a\.onnx has sha256 .* \(2999 bytes\), expected/);
});

Deno.test("a file that grows longer than expected is dropped", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await using partial = await PartialFile.open(path, expected);
  await partial.append(bytes);
  await assert.rejects(
    () => partial.append(new Uint8Array(1)),
    /longer than the expected 3000 bytes/,
  );
  assert.equal((await Deno.stat(`${path}.part`)).size, 0);
  await partial.append(bytes);
  await partial.finish();
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("a partial file left behind that is too long is begun anew", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await Deno.writeFile(`${path}.part`, new Uint8Array(5000));
  await using partial = await PartialFile.open(path, expected);
  assert.equal(partial.received, 0);
  await partial.append(bytes);
  await partial.finish();
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("a second process that wants the same partial file waits until the first has closed it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  const waits = Promise.withResolvers<void>();
  let second: Promise<PartialFile>;
  {
    await using first = await PartialFile.open(path, expected);
    await first.append(bytes);
    second = PartialFile.open(path, expected, { onWait: waits.resolve });
    await within("the second one to wait", waits.promise);
    await first.finish();
  }
  // The first one's bytes have a name now, so that the second one begins with nothing.
  await using partial = await second;
  assert.equal(partial.received, 0);
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("waiting for a partial file ends when the signal says so", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await using _first = await PartialFile.open(path, expected);
  const stop = new AbortController();
  const second = PartialFile.open(path, expected, {
    signal: stop.signal,
    onWait: () => stop.abort(new Error("stopped")),
  });
  await assert.rejects(second, new Error("stopped"));
});
