import assert from "node:assert/strict";
import { openWorkbench, type Workbench } from "../testing/workbench.ts";
import type { Levels } from "./kernels.ts";

/** Quantises rows with the balance 1 and gives what they stand for. */
function roundTrip(
  { kernels, floats, integers, bytes }: Workbench,
  rows: number[][],
  levels: Levels,
  balance = new Array<number>(rows[0]!.length).fill(1),
) {
  const depth = rows[0]!.length;
  const q = bytes(new Uint8Array(rows.length * depth));
  const scales = floats(new Float32Array(rows.length));
  const zeros = integers(new Int32Array(rows.length));
  kernels.quantise(
    floats(rows.flat()).address,
    floats(balance).address,
    q.address,
    scales.address,
    zeros.address,
    rows.length,
    depth,
    levels,
  );
  const numbers = rows.map((row, m) =>
    row.map((_, k) => (q.numbers[m * depth + k]! - zeros.numbers[m]!) * scales.numbers[m]!)
  );
  return { numbers, q: q.numbers, scales: scales.numbers };
}

for (const levels of [127, 255] as const) {
  Deno.test(`numbers come back from 0…${levels} within one step of their row's range`, async () => {
    const workbench = await openWorkbench();
    const rows = Array.from(
      { length: 9 },
      (_, m) => Array.from(workbench.random(48).numbers, (x) => (x + m / 5 - 0.8) * 10 ** (m - 4)),
    );
    const { numbers, q, scales } = roundTrip(workbench, rows, levels);
    assert.ok(q.every((integer) => integer <= levels));
    rows.forEach((row, m) => {
      const range = Math.max(0, ...row) - Math.min(0, ...row);
      assert.ok(Math.abs(scales[m]! * levels / range - 1) < 1e-6);
      row.forEach((number, k) =>
        assert.ok(Math.abs(numbers[m]![k]! - number) <= scales[m]! * 1.001)
      );
    });
    assert.ok(workbench.isTidy());
  });

  Deno.test(`with ${levels} levels, rows of zeros and of one number only come back as they were`, async () => {
    const workbench = await openWorkbench();
    const constant = (value: number) => new Array<number>(32).fill(value);
    const rows = [constant(0), constant(3.5), constant(-3.5), constant(1e-20), constant(-1e20)];
    const { numbers } = roundTrip(workbench, rows, levels);
    rows.forEach((row, m) => {
      row.forEach((number, k) => {
        assert.ok(Math.abs(numbers[m]![k]! - number) <= 1e-6 * Math.abs(number), `row ${m}`);
      });
    });
  });
}

Deno.test("each input is multiplied by its balance before it is quantised", async () => {
  const workbench = await openWorkbench();
  const balance = Array.from({ length: 16 }, (_, k) => k === 5 ? 0.01 : 1);
  const row = Array.from({ length: 16 }, (_, k) => k === 5 ? 100 : k / 16);
  const { numbers, scales } = roundTrip(workbench, [row], 255, balance);
  assert.ok(scales[0]! < 1 / 250);
  assert.ok(Math.abs(numbers[0]![5]! - 1) < 0.01);
});
