import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { readText } from "./body.ts";
import { takenAtPace } from "./pace.ts";

const PACE = { allowanceMs: 200, minRate: 10_000 };
const later = (pauseMs: number) => new Promise<void>((resolve) => setTimeout(resolve, pauseMs));

/** A request whose body comes piece by piece, so many milliseconds apart. */
function slow(pieces: string[], pauseMs: number, headers: HeadersInit = {}): Request {
  const body = new ReadableStream({
    async start(controller) {
      for (const piece of pieces) {
        controller.enqueue(new TextEncoder().encode(piece));
        await later(pauseMs);
      }
      controller.close();
    },
  });
  return new Request("http://localhost/", { method: "POST", body, headers });
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(() => "none", (error) => error instanceof Problem ? error.code : String(error));

Deno.test("a body that comes too slowly is given up, whether its length is known or not", async () => {
  const pieces = [..."abcdefgh"];
  for (const headers of [{ "Content-Length": "8" }, {}]) {
    assert.equal(await codeOf(readText(slow(pieces, 60, headers), 100, PACE)), "upload_stalled");
    assert.equal(await readText(slow(pieces, 5, headers), 100, PACE), "abcdefgh");
    await later(600);
  }
});

Deno.test("a body is bounded, whether its length is known or not", async () => {
  for (const headers of [{ "Content-Length": "8" }, {}]) {
    const request = slow(["abcd", "efgh"], 0, headers);
    assert.equal(await codeOf(readText(request, 7, PACE)), "upload_too_large");
    await later(20);
  }
});

Deno.test("a character that two pieces share is read as one", async () => {
  const [first, second] = [new Uint8Array([0xc3]), new Uint8Array([0xa9])];
  const body = ReadableStream.from([first, second]);
  const request = new Request("http://localhost/", { method: "POST", body });
  assert.equal(await readText(request, 10, PACE), "é");
});

Deno.test("an answer that nobody takes is given up, one that is slow in coming is not", async () => {
  const request = new Request("http://localhost/");
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(100)),
    cancel: () => {
      cancelled = true;
    },
  });
  const reader = takenAtPace(request, endless, PACE).getReader();
  await reader.read();
  await later(500);
  assert.ok(cancelled);

  const quiet = new ReadableStream({
    async pull(controller) {
      await later(500);
      controller.enqueue(new Uint8Array(1));
      controller.close();
    },
  });
  const { length } = await new Response(takenAtPace(request, quiet, PACE)).bytes();
  assert.equal(length, 1);
});
