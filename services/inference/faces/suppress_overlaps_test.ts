import assert from "node:assert/strict";
import { overlap, suppressOverlaps } from "./suppress_overlaps.ts";

const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

Deno.test("a box overlaps itself wholly, a distant one and a neighbour not at all", () => {
  const one = box(10, 10, 20, 30);
  assert.equal(overlap(one, one), 1);
  assert.equal(overlap(one, box(100, 100, 20, 30)), 0);
  assert.equal(overlap(one, box(30, 10, 20, 30)), 0);
});

Deno.test("a box inside another overlaps it by the ratio of their areas", () => {
  assert.equal(overlap(box(0, 0, 10, 10), box(2, 2, 5, 5)), 0.25);
});

Deno.test("of boxes that overlap too much the most confident stays", () => {
  const weak = { bbox: box(0, 0, 10, 10), confidence: 0.7 };
  const strong = { bbox: box(1, 0, 10, 10), confidence: 0.9 };
  const apart = { bbox: box(50, 0, 10, 10), confidence: 0.8 };
  assert.deepEqual(suppressOverlaps([weak, strong, apart], 0.3), [strong, apart]);
});

Deno.test("boxes that overlap less than allowed both stay", () => {
  const left = { bbox: box(0, 0, 10, 10), confidence: 0.7 };
  const right = { bbox: box(6, 0, 10, 10), confidence: 0.9 };
  assert.deepEqual(suppressOverlaps([left, right], 0.3), [right, left]);
});
