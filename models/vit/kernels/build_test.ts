import { clang, temporaryFolder, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { buildKernels } from "./build.ts";
import { supported } from "./kernels.ts";

const committed = Deno.readFileSync(new URL("./kernels.wasm", import.meta.url));

testNeeding([clang], "the kernels are built anew to the same byte", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/kernels.wasm`;
  await buildKernels(path);
  assert.deepEqual(await Deno.readFile(path), committed);
});

Deno.test("the kernels are small, and this runtime can run them", () => {
  assert.ok(committed.length < 64 << 10);
  assert.ok(supported());
});

/** Sections of the WebAssembly binary format (https://www.w3.org/TR/wasm-core-2/#sections). */
const DATA_SECTION = 11;

Deno.test("the kernels bring no data, which every thread would write into the shared memory anew", () => {
  assert.ok(!sectionsOf(committed).includes(DATA_SECTION));
});

function sectionsOf(wasm: Uint8Array): number[] {
  const sections: number[] = [];
  for (let at = 8; at < wasm.length;) {
    sections.push(wasm[at++]!);
    let length = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = wasm[at++]!;
      length |= (byte & 0x7f) << shift;
    }
    at += length;
  }
  return sections;
}
