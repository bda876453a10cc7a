import assert from "node:assert/strict";
import { largestDifference } from "../testing/exported_towers.ts";
import { openWorkbench } from "../testing/workbench.ts";

for (const [rows, width, stride] of [[1, 16, 16], [9, 48, 48], [5, 80, 100], [3, 768, 768]]) {
  Deno.test(`layer_norm normalises ${rows} rows of ${width} as a plain loop does`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const x = random(rows! * stride!), gain = random(width!), bias = random(width!);
    const y = floats(new Float32Array(rows! * width!));
    const expected: number[] = [];
    for (let m = 0; m < rows!; m++) {
      const row = x.numbers.slice(m * stride!, m * stride! + width!);
      const mean = row.reduce((sum, value) => sum + value, 0) / width!;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width!;
      row.forEach((value, i) =>
        expected.push(
          (value - mean) / Math.sqrt(variance + 1e-5) * gain.numbers[i]! + bias.numbers[i]!,
        )
      );
    }
    kernels.layer_norm(
      x.address,
      stride!,
      gain.address,
      bias.address,
      y.address,
      rows!,
      width!,
      1e-5,
    );
    assert.ok(largestDifference(y.numbers, expected) < 1e-5);
    assert.ok(isTidy());
  });
}

Deno.test("layer_norm gives the bias for a row of one number only, and may overwrite its input", async () => {
  const { kernels, floats, random } = await openWorkbench();
  const x = floats(new Float32Array(16).fill(7)), gain = random(16), bias = random(16);
  kernels.layer_norm(x.address, 16, gain.address, bias.address, x.address, 1, 16, 1e-5);
  assert.deepEqual([...x.numbers], [...bias.numbers]);
});
