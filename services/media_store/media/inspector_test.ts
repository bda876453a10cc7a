import { Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { scriptedThread } from "../testing/scripted_thread.ts";
import { Inspector } from "./inspector.ts";

const maxPixels = 50_000_000;

Deno.test("files are inspected in the order of asking", async () => {
  await using folder = await temporaryFolder();
  using inspector = new Inspector();
  const widths = await Promise.all([1, 2, 3].map(async (width) => {
    const path = `${folder.path}/${width}`;
    Deno.writeFileSync(path, craftPng(width, 1));
    return (await inspector.inspect({ path, name: "it", maxPixels })).width;
  }));
  assert.deepEqual(widths, [1, 2, 3]);
});

/** A thread that never comes back by itself from a file named "busy", and is kept waiting at "kept". */
const BUSY = scriptedThread(`({ name }) => {
  if (name === "busy") interruptible(() => { while (true); });
  if (name === "kept") interruptible(keptWaiting);
  return { width: 7 };
}`);

Deno.test("a file that keeps its reader busy is given up, and the next one is inspected", async () => {
  using inspector = new Inspector({ limitMs: 1000, script: BUSY });
  const refused = inspector.inspect({ path: "/busy", name: "busy", maxPixels });
  const metadata = inspector.inspect({ path: "/png", name: "png", maxPixels });
  await assert.rejects(refused, (error: Problem) => error.code === "image_unreadable");
  assert.equal((await metadata).width, 7);
});

Deno.test("a file is not blamed for a machine that keeps its reader waiting", async () => {
  using inspector = new Inspector({ limitMs: 300, script: BUSY });
  const kept = inspector.inspect({ path: "/kept", name: "kept", maxPixels });
  const metadata = inspector.inspect({ path: "/png", name: "png", maxPixels });
  await assert.rejects(kept, (error: Problem) => {
    assert.deepEqual([error.code, error.transient], ["service_busy", true]);
    return (error.members.retry_after_s as number) > 0;
  });
  assert.equal((await metadata).width, 7);
});

Deno.test("a JPEG of millions of segments is read in time", async () => {
  await using folder = await temporaryFolder();
  using inspector = new Inspector();
  const path = `${folder.path}/segments`;
  const segments = new Uint8Array(48 * 1024 * 1024);
  new DataView(segments.buffer).setUint32(0, 0xffd8ffe1);
  for (let at = 2; at < segments.length - 4; at += 4) segments.set([0xff, 0xe1, 0, 2], at);
  Deno.writeFileSync(path, segments);
  const refused = inspector.inspect({ path, name: "segments", maxPixels });
  await assert.rejects(refused, (error: Problem) => error.code === "image_truncated");
});

Deno.test("a file that is gone is an error of ours, not of the upload", async () => {
  await using folder = await temporaryFolder();
  using inspector = new Inspector();
  const gone = inspector.inspect({ path: `${folder.path}/gone`, name: "gone", maxPixels });
  await assert.rejects(gone, (error) => !(error instanceof Problem));
});
