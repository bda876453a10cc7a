import assert from "node:assert/strict";
import { openWorkbench } from "../testing/workbench.ts";

/** Of the bytes 0, 1, 2…; computed with the reference implementation, `xxhsum -H64`. */
const KNOWN = [
  [32, "cbf59c5116ff32b4"],
  [64, "f7c67301db6713f0"],
  [96, "450baa11f6739216"],
  [4096, "0f6e64be186af6a4"],
] as const;

for (const [length, hash] of KNOWN) {
  Deno.test(`the XXH64 of ${length} bytes is that of the reference implementation`, async () => {
    const { kernels, bytes } = await openWorkbench();
    const { address } = bytes(Uint8Array.from({ length }, (_, i) => i));
    assert.equal(
      BigInt.asUintN(64, kernels.xxh64(address, length)).toString(16).padStart(16, "0"),
      hash,
    );
  });
}

Deno.test("the XXH64 changes with every single bit", async () => {
  const { kernels, bytes } = await openWorkbench();
  const { address, numbers } = bytes(new Uint8Array(64));
  const seen = new Set([kernels.xxh64(address, 64)]);
  for (let bit = 0; bit < 512; bit++) {
    numbers[bit >> 3]! ^= 1 << (bit & 7);
    seen.add(kernels.xxh64(address, 64));
    numbers[bit >> 3]! ^= 1 << (bit & 7);
  }
  assert.equal(seen.size, 513);
});
