import assert from "node:assert/strict";
import { openWorkbench } from "../testing/workbench.ts";

Deno.test("gather puts the columns asked for beside each other, in their order", async () => {
  const { kernels, random, integers, floats, isTidy } = await openWorkbench();
  const [rows, stride, columns] = [7, 20, [19, 0, 3, 3, 8]];
  const x = random(rows * stride);
  const y = floats(new Float32Array(rows * columns.length));
  const { address } = integers(columns);
  kernels.gather(x.address, stride, address, columns.length, y.address, rows);
  y.numbers.forEach((number, i) => {
    const row = Math.floor(i / columns.length);
    assert.equal(number, x.numbers[row * stride + columns[i % columns.length]!]);
  });
  assert.ok(isTidy());
});
