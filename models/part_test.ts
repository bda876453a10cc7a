import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { temporaryFolder } from "@fovea/testing";
import { patterned } from "./testing/file_server.ts";
import { Part } from "./part.ts";

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
  await using part = await Part.open(path, expected);
  await part.append(bytes.subarray(0, 1000));
  await part.append(bytes.subarray(1000));
  assert.deepEqual(await names(folder.path), ["a.onnx.part"]);
  await part.finish();
  assert.deepEqual(await names(folder.path), ["a.onnx"]);
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("a part left behind is gone on with, and its bytes count for the digest", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  {
    await using first = await Part.open(path, expected);
    await first.append(bytes.subarray(0, 1000));
  }
  await using second = await Part.open(path, expected);
  assert.equal(second.received, 1000);
  await second.append(bytes.subarray(1000));
  await second.finish();
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("wrong bytes never get the name, and are dropped", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  {
    await using part = await Part.open(path, expected);
    await part.append(new Uint8Array(expected.bytes));
    const zeros = createHash("sha256").update(new Uint8Array(expected.bytes)).digest("hex");
    await assert.rejects(
      () => part.finish(),
      new Error(
        `a.onnx has sha256 ${zeros} (3000 bytes), expected ${expected.sha256} (3000 bytes)`,
      ),
    );
  }
  assert.deepEqual(await names(folder.path), []);
});

Deno.test("too few bytes never get the name", async () => {
  await using folder = await temporaryFolder();
  await using part = await Part.open(`${folder.path}/a.onnx`, expected);
  await part.append(bytes.subarray(0, 2999));
  await assert.rejects(() => part.finish(), /a\.onnx has sha256 .* \(2999 bytes\), expected/);
});

Deno.test("a file that grows longer than expected is dropped", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await using part = await Part.open(path, expected);
  await part.append(bytes);
  await assert.rejects(() => part.append(new Uint8Array(1)), /longer than the expected 3000 bytes/);
  assert.equal((await Deno.stat(`${path}.part`)).size, 0);
  await part.append(bytes);
  await part.finish();
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("a part left behind that is too long is begun anew", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await Deno.writeFile(`${path}.part`, new Uint8Array(5000));
  await using part = await Part.open(path, expected);
  assert.equal(part.received, 0);
  await part.append(bytes);
  await part.finish();
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("who wants the same part waits until the other has let go of it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  const waits = Promise.withResolvers<void>();
  let second: Promise<Part>;
  {
    await using first = await Part.open(path, expected);
    await first.append(bytes);
    second = Part.open(path, expected, { onWait: waits.resolve });
    await waits.promise;
    await first.finish();
  }
  // The first one's bytes have a name now, so that the second one begins with nothing.
  await using part = await second;
  assert.equal(part.received, 0);
  assert.deepEqual(await Deno.readFile(path), bytes);
});

Deno.test("waiting for a part ends when the signal says so", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.onnx`;
  await using _first = await Part.open(path, expected);
  const stop = new AbortController();
  const second = Part.open(path, expected, {
    signal: stop.signal,
    onWait: () => stop.abort(new Error("enough")),
  });
  await assert.rejects(second, new Error("enough"));
});
