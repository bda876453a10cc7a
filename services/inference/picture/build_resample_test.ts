import { clang, temporaryFolder, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { buildResample } from "./build_resample.ts";

testNeeding([clang], "the kernel that scales pictures is built anew to the same byte", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/resample.wasm`;
  await buildResample(path);
  const committed = await Deno.readFile(new URL("./resample.wasm", import.meta.url));
  assert.deepEqual(await Deno.readFile(path), committed);
});
