import assert from "node:assert/strict";
import { Constant } from "./constant.ts";

const DATA = Float32Array.from({ length: 24 }, (_, i) => i);
const weights = Constant.of({ dims: [2, 3, 4], type: "FLOAT", data: DATA });

Deno.test("views are of the same numbers, however often they are turned", () => {
  const turned = weights.transpose([2, 0, 1]).slice(0, 1, 2).transpose([1, 2, 0]);
  assert.equal(turned.data, DATA);
  assert.deepEqual(turned.dims, [2, 3, 2]);
  assert.deepEqual([...turned.float32()], [1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22]);
});

Deno.test("numbers that lie row by row are not copied, others are", () => {
  assert.equal(weights.reshape([6, 4]).float32().buffer, DATA.buffer);
  assert.deepEqual([...weights.slice(0, 1, 1).float32()], [...DATA.subarray(12)]);
  assert.equal(weights.slice(0, 1, 1).float32().buffer, DATA.buffer);
  const transposed = weights.reshape([6, 4]).transpose([1, 0]).float32();
  assert.notEqual(transposed.buffer, DATA.buffer);
  assert.deepEqual([...transposed.subarray(0, 6)], [0, 4, 8, 12, 16, 20]);
});

Deno.test("what is repeated a million times takes no room and is still the one it was", () => {
  const repeated = weights.slice(0, 0, 1).expand([1_000_003, 3, 4]);
  assert.equal(repeated.size, 12_000_036);
  assert.deepEqual([...repeated.onlyOneAlong(0).float32()], [...DATA.subarray(0, 12)]);
  assert.throws(() => repeated.numbers(), /weights of shape \[1000003,3,4\] are computed with/);
});

Deno.test("rows that are the same are one, and others are none", () => {
  const same = Constant.of({ dims: [2, 2], type: "FLOAT", data: Float32Array.of(1, 2, 1, 2) });
  assert.deepEqual([...same.onlyOneAlong(0).float32()], [1, 2]);
  assert.throws(() => weights.onlyOneAlong(0), /differ along axis 0/);
});

Deno.test("constants are computed with as numpy would", () => {
  const a = Constant.integers([2, 1], [10, 20]);
  const b = Constant.integers([3], [1, 2, 3]);
  const sum = a.zip(b, (x, y) => x + y);
  assert.deepEqual(sum.dims, [2, 3]);
  assert.deepEqual(sum.numbers(), [11, 12, 13, 21, 22, 23]);
  assert.deepEqual(Constant.concat([sum, sum.slice(1, 0, 1)], 1).numbers(), [
    ...[11, 12, 13, 11],
    ...[21, 22, 23, 21],
  ]);
  assert.throws(() => a.zip(Constant.integers([4, 2], Array(8).fill(0)), Math.max), /go together/);
  assert.throws(() => a.zip(weights, Math.max), /types INT64 and FLOAT meet/);
});

Deno.test("a filled constant can be told from one that is not", () => {
  const zeros = Constant.of({ dims: [1], type: "FLOAT", data: Float32Array.of(0) }).expand([5, 7]);
  assert.ok(zeros.isFilledWith(0) && !zeros.isFilledWith(1));
  assert.ok(zeros.reshape([35]).isFilledWith(0));
  assert.ok(!weights.isFilledWith(0));
});
