import assert from "node:assert/strict";
import { largestDifference } from "../testing/exported_towers.ts";
import { openWorkbench } from "../testing/workbench.ts";

for (const tokens of [1, 2, 5, 8, 9, 17, 50]) {
  Deno.test(`keys of ${tokens} tokens are packed as columns, with zeros for those that a panel lacks`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const [width, stride] = [16, 52];
    const keys = random(tokens * stride);
    const count = Math.ceil(tokens / 8) * 8;
    const panels = floats(new Float32Array(count * width).fill(NaN));
    kernels.pack_keys(keys.address, stride, panels.address, tokens, width);
    for (let t = 0; t < count; t++) {
      for (let i = 0; i < width; i++) {
        const packed = panels.numbers[(t >> 3) * width * 8 + i * 8 + t % 8];
        assert.equal(packed, t < tokens ? keys.numbers[t * stride + i] : 0);
      }
    }
    assert.ok(isTidy());
  });

  Deno.test(`values of ${tokens} tokens are packed 8 numbers at a time`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const [width, stride] = [24, 60];
    const values = random(tokens * stride);
    const panels = floats(new Float32Array(tokens * width));
    kernels.pack_values(values.address, stride, panels.address, tokens, width);
    for (let t = 0; t < tokens; t++) {
      for (let i = 0; i < width; i++) {
        const packed = panels.numbers[(i >> 3) * tokens * 8 + t * 8 + i % 8];
        assert.equal(packed, values.numbers[t * stride + i]);
      }
    }
    assert.ok(isTidy());
  });

  Deno.test(`softmax over ${tokens} tokens is what float64 makes of it`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const [rows, stride] = [3, Math.ceil(tokens / 8) * 8];
    const scores = floats(random(rows * stride).numbers.map((x, i) => x * 10 ** (i % 3)));
    const expected = Array.from({ length: rows }, (_, m) => {
      const row = [...scores.numbers.subarray(m * stride, m * stride + tokens)];
      const powers = row.map((x) => Math.exp(x - Math.max(...row)));
      return powers.map((power) => power / powers.reduce((sum, x) => sum + x));
    });
    kernels.softmax(scores.address, stride, rows, tokens);
    for (const [m, shares] of expected.entries()) {
      const got = scores.numbers.subarray(m * stride, m * stride + tokens);
      shares.forEach((share, i) => {
        const error = Math.abs(got[i]! - share);
        assert.ok(error <= (1e-6 - 2e-7 * Math.log(share)) * share + 1e-37, `${share} ± ${error}`);
      });
      assert.ok(largestDifference(got, shares) < 1e-6);
    }
    assert.ok(isTidy());
  });
}
