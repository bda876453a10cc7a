import assert from "node:assert/strict";
import { writeIntegerPanels } from "../packing/panels.ts";
import { largestDifference } from "../testing/exported_towers.ts";
import { openWorkbench, type Workbench } from "../testing/workbench.ts";
import { compileKernels, exactLevels, type Levels, NONE } from "./kernels.ts";

const exact = exactLevels(await compileKernels());

/** Multiplies given integers, and once more in a plain loop. */
function multiply(
  { kernels, integers, bytes, random }: Workbench,
  { rows, columns, depth }: { rows: number; columns: number; depth: number },
  q: number[],
  p: number[],
) {
  const rowScales = random(rows), rowZeros = integers(q.slice(0, rows)), scales = random(columns);
  const sums = integers(
    Array.from(
      { length: columns },
      (_, n) => p.reduce((s, w, i) => i % columns === n ? s + w : s, 0),
    ),
  );
  const panels = bytes(new Uint8Array(depth * columns));
  const signed = new Int8Array(panels.numbers.buffer, panels.address, depth * columns);
  writeIntegerPanels(Int8Array.from(p), columns, depth, signed);
  const bias = random(columns), c = random(rows * columns), before = c.numbers.slice();
  kernels.gemm_i8(
    bytes(q).address,
    rowScales.address,
    rowZeros.address,
    panels.address,
    scales.address,
    sums.address,
    bias.address,
    c.address,
    columns,
    rows,
    columns,
    depth,
    true,
  );
  const expected = before.map((value, i) => {
    const [m, n] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < depth; k++) {
      sum += (q[m * depth + k]! - rowZeros.numbers[m]!) * p[k * columns + n]!;
    }
    return value + bias.numbers[n]! + sum * rowScales.numbers[m]! * scales.numbers[n]!;
  });
  return { numbers: c.numbers, expected };
}

const pattern = (length: number, low: number, high: number) =>
  Array.from({ length }, (_, i) => low + (i * 7919 + (i >> 3)) % (high - low + 1));

for (const levels of new Set<Levels>([127, exact])) {
  for (const rows of [1, 2, 3, 4, 5, 6, 7, 9, 13, 50, 97, 101]) {
    Deno.test(`gemm_i8 multiplies ${rows} rows of 0…${levels} by weights of ±127 as a plain loop does`, async () => {
      const workbench = await openWorkbench();
      const size = { rows, columns: 16, depth: 48 };
      const q = pattern(rows * size.depth, 0, levels);
      const p = pattern(size.depth * size.columns, -127, 127);
      const { numbers, expected } = multiply(workbench, size, q, p);
      const largest = Math.max(...expected.map(Math.abs));
      assert.ok(largestDifference(numbers, expected) < 1e-6 * largest);
      assert.ok(workbench.isTidy());
    });
  }

  Deno.test(`gemm_i8 is exact where all are ${levels} and all weights 127 or −127`, async () => {
    for (const extreme of [127, -127]) {
      const { kernels, bytes, floats, integers } = await openWorkbench();
      const depth = 3072;
      const c = floats(new Float32Array(8));
      kernels.gemm_i8(
        bytes(new Uint8Array(depth).fill(levels)).address,
        floats([1]).address,
        integers([0]).address,
        bytes(new Uint8Array(depth * 8).fill(extreme)).address,
        floats(new Float32Array(8).fill(1)).address,
        integers(new Int32Array(8)).address,
        NONE,
        c.address,
        8,
        1,
        8,
        depth,
        false,
      );
      assert.deepEqual([...c.numbers], Array(8).fill(levels * extreme * depth));
    }
  });
}

Deno.test("the probe agrees with arithmetic for every weight at the levels it allows", async () => {
  const { kernels } = await openWorkbench();
  for (let p = -127; p <= 127; p++) assert.equal(kernels.dot_probe(exact, p), 4 * exact * p);
});
