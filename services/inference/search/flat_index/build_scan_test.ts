import { clang, temporaryFolder, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { buildScan } from "./build_scan.ts";

testNeeding([clang], "the kernel that scans vectors is built anew to the same byte", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/scan.wasm`;
  await buildScan(path);
  const committed = await Deno.readFile(new URL("./scan.wasm", import.meta.url));
  assert.deepEqual(await Deno.readFile(path), committed);
});
