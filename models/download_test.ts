import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { temporaryFolder } from "@fovea/testing";
import { download, type DownloadOptions } from "./download.ts";
import { type Fault, patterned, serveFile } from "./testing/file_server.ts";
import { PartialFile } from "./partial_file.ts";
import { publicMessage } from "@fovea/contract";

const bytes = patterned(300_000);
const expected = {
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
};

/** Downloads from a server with these faults into a partial file that holds the first `had` bytes. */
async function attempt(faults: Fault[], had = 0, options: DownloadOptions = {}) {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes, faults);
  await using partial = await PartialFile.open(`${folder.path}/a.onnx`, expected);
  await partial.append(bytes.subarray(0, had));
  let error: unknown;
  try {
    await download(partial, server.url, { pauseMs: 1, ...options });
  } catch (thrown) {
    error = thrown;
  }
  return {
    ranges: server.ranges,
    received: partial.received,
    whole: partial.mismatch() === null,
    message: error === undefined ? null : (error as Error).message,
  };
}

Deno.test("a file comes whole in one request", async () => {
  const { whole, ranges } = await attempt([]);
  assert.ok(whole);
  assert.deepEqual(ranges, [null]);
});

Deno.test("where a partial file is there, the rest of the file is requested", async () => {
  const { whole, ranges } = await attempt([], 100_000);
  assert.ok(whole);
  assert.deepEqual(ranges, ["bytes=100000-"]);
});

Deno.test("a partial file that is whole already needs no request", async () => {
  const { whole, ranges } = await attempt([], bytes.length);
  assert.ok(whole);
  assert.deepEqual(ranges, []);
});

Deno.test("a connection that breaks half-way is made anew, and goes on where it broke", async () => {
  const { whole, ranges } = await attempt([{ after: { bytes: 120_000, then: "break" } }]);
  assert.ok(whole);
  assert.deepEqual(ranges, [null, "bytes=120000-"]);
});

Deno.test("a connection on which nothing more arrives is given up and made anew", async () => {
  const { whole, ranges } = await attempt([{ after: { bytes: 120_000, then: "stall" } }], 0, {
    idleMs: 500,
  });
  assert.ok(whole);
  assert.deepEqual(ranges, [null, "bytes=120000-"]);
});

Deno.test("an answer that ends early is noticed by its length, and resumed", async () => {
  const { whole, ranges } = await attempt([{
    content: bytes.slice(0, 120_000),
    hideLength: true,
  }]);
  assert.ok(whole);
  assert.deepEqual(ranges, [null, "bytes=120000-"]);
});

Deno.test("a server that knows no ranges is read from the start", async () => {
  const { whole, ranges } = await attempt([{ ignoreRange: true }], 100_000);
  assert.ok(whole);
  assert.deepEqual(ranges, ["bytes=100000-"]);
});

Deno.test("a connection that breaks every time is given up in the end, and its bytes kept", async () => {
  const fault: Fault = { after: { bytes: 1000, then: "break" } };
  const { ranges, received, message } = await attempt([fault, fault, fault, fault, fault, fault]);
  assert.equal(ranges.length, 5);
  assert.equal(received, 5000);
  assert.match(message!, /error reading a body/);
});

Deno.test("a status other than success is reported at once", async () => {
  const { ranges, message } = await attempt([{ status: 404 }]);
  assert.deepEqual(ranges, [null]);
  assert.equal(message, "answered 404");
});

Deno.test("a page in the file's place is refused, and the partial file stays as it was", async () => {
  const page = new TextEncoder().encode("<p>Please sign in</p>");
  const { received, ranges, message } = await attempt(
    [{ content: page, ignoreRange: true }],
    100_000,
  );
  assert.equal(message, "answered with 21 bytes, expected 300000");
  assert.equal(received, 100_000);
  assert.equal(ranges.length, 1);
});

Deno.test("a range out of another file is refused", async () => {
  const { message, received } = await attempt([{ content: patterned(400_000) }], 100_000);
  assert.equal(
    message,
    'answered with "bytes 100000-399999/400000", asked for "bytes 100000-299999/300000"',
  );
  assert.equal(received, 100_000);
});

Deno.test("a file that turns out too long is not written further than expected", async () => {
  const { message, received } = await attempt([
    { content: patterned(400_000), hideLength: true },
  ]);
  assert.match(message!, /longer than the expected 300000 bytes/);
  assert.ok(received <= bytes.length);
});

Deno.test("a server that doesn't answer is given up after one try", async () => {
  const { ranges, message } = await attempt([{ silent: true }], 0, { answerMs: 200 });
  assert.deepEqual(ranges, [null]);
  assert.equal(message, "no answer for 0.2 s");
});

Deno.test("a server that isn't there is given up after one try", async () => {
  await using folder = await temporaryFolder();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using partial = await PartialFile.open(`${folder.path}/a.onnx`, expected);
  let tries = 0;
  const counted: typeof fetch = (input, init) => {
    tries++;
    return fetch(input, init);
  };
  await assert.rejects(
    () => download(partial, `http://127.0.0.1:${port}`, { fetch: counted }),
    (error) => /Connection refused/.test(publicMessage(error)),
  );
  assert.equal(tries, 1);
});

Deno.test("a download ends when its signal says so", async () => {
  await using folder = await temporaryFolder();
  await using server = serveFile(bytes, [{ after: { bytes: 1000, then: "stall" } }]);
  const stop = new AbortController();
  await using partial = await PartialFile.open(`${folder.path}/a.onnx`, expected, {
    onProgress: () => stop.abort(new Error("stopped")),
  });
  await assert.rejects(
    () => download(partial, server.url, { signal: stop.signal }),
    new Error("stopped"),
  );
  assert.equal(partial.received, 1000);
});
