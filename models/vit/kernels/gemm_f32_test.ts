import assert from "node:assert/strict";
import { writeFloatPanels } from "../packing/panels.ts";
import { largestDifference } from "../testing/exported_towers.ts";
import { openWorkbench } from "../testing/workbench.ts";
import { NONE } from "./kernels.ts";

/** Rows up to two tiles and around a block; depths around the one that is summed up at a time. */
const CASES = [
  ...Array.from({ length: 14 }, (_, i) => ({ rows: i + 1, columns: 16, depth: 20 })),
  { rows: 50, columns: 8, depth: 1 },
  { rows: 95, columns: 24, depth: 767 },
  { rows: 96, columns: 8, depth: 768 },
  { rows: 101, columns: 16, depth: 769 },
  { rows: 7, columns: 8, depth: 1600 },
];

for (const { rows, columns, depth } of CASES) {
  Deno.test(`gemm_f32 multiplies ${rows} × ${depth} by ${depth} × ${columns} as a plain loop does`, async () => {
    const { kernels, random, floats, isTidy } = await openWorkbench();
    const [aStride, cStride] = [depth + 4, columns + 8];
    const a = random(rows * aStride);
    const weight = random(depth * columns).numbers;
    const panels = floats(new Float32Array(depth * columns));
    writeFloatPanels({ inputs: depth, outputs: columns, weight }, depth, panels.numbers);
    const bias = random(columns);
    const before = random(rows * cStride).numbers.slice();

    for (const [withBias, add] of [[true, false], [false, false], [true, true], [false, true]]) {
      const expected = before.slice();
      for (let m = 0; m < rows; m++) {
        for (let n = 0; n < columns; n++) {
          let sum = withBias ? bias.numbers[n]! : 0;
          if (add) sum += before[m * cStride + n]!;
          for (let k = 0; k < depth; k++) {
            sum += a.numbers[m * aStride + k]! * weight[k * columns + n]!;
          }
          expected[m * cStride + n] = sum;
        }
      }
      const c = floats(before);
      kernels.gemm_f32(
        a.address,
        aStride,
        panels.address,
        withBias ? bias.address : NONE,
        c.address,
        cStride,
        rows,
        columns,
        depth,
        add!,
      );
      assert.ok(largestDifference(c.numbers, expected) < 1e-4);
    }
    assert.ok(isTidy());
  });
}
