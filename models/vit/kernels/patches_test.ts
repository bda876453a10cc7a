import assert from "node:assert/strict";
import { openWorkbench } from "../testing/workbench.ts";

for (const [size, patch] of [[8, 4], [12, 6], [10, 5], [32, 32]] as const) {
  Deno.test(`a picture of ${size} × ${size} is cut into patches of ${patch} × ${patch}`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const pixels = random(3 * size * size);
    const [side, stride] = [size / patch, Math.ceil(3 * patch ** 2 / 16) * 16];
    const out = floats(new Float32Array(side ** 2 * stride).fill(NaN));
    kernels.patches(pixels.address, out.address, size, patch, stride);
    out.numbers.forEach((number, at) => {
      const [p, i] = [Math.floor(at / stride), at % stride];
      const [channel, y, x] = [
        Math.floor(i / patch ** 2),
        Math.floor(p / side) * patch + Math.floor(i / patch) % patch,
        p % side * patch + i % patch,
      ];
      assert.equal(number, channel < 3 ? pixels.numbers[(channel * size + y) * size + x] : 0);
    });
    assert.ok(isTidy());
  });
}
