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

for (const tokens of [1, 2, 7, 8, 9, 21]) {
  Deno.test(`causal softmax over ${tokens} tokens looks at no later one, not even at none`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const stride = Math.ceil(tokens / 8) * 8;
    const numbers = random(tokens * stride).numbers;
    const scores = floats(numbers.map((x) => 10 * x));
    // Whatever later tokens say.
    for (let row = 0; row < tokens; row++) {
      scores.numbers.fill(NaN, row * stride + row + 1, (row + 1) * stride);
    }
    kernels.softmax_causal(scores.address, stride, tokens);
    for (let row = 0; row < tokens; row++) {
      const seen = [...numbers.subarray(row * stride, row * stride + row + 1)].map((x) => 10 * x);
      const powers = seen.map((x) => Math.exp(x - Math.max(...seen)));
      const shares = powers.map((power) => power / powers.reduce((sum, x) => sum + x));
      const got = scores.numbers.subarray(row * stride, (row + 1) * stride);
      assert.ok(largestDifference(got.subarray(0, row + 1), shares) < 1e-5);
      assert.ok(got.subarray(row + 1).every((share) => share === 0));
    }
    assert.ok(isTidy());
  });
}
