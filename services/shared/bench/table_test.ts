import assert from "node:assert/strict";
import { atLeast, atMost } from "./figure.ts";
import { fixed, median, percentile } from "./table.ts";

Deno.test("a median is the middle value, a percentile the one so many lie below", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 3);
  assert.equal(percentile(Array.from({ length: 100 }, (_, i) => i), 99), 99);
  assert.equal(percentile([7], 99), 7);
  assert.ok(Number.isNaN(median([])));
  assert.equal(fixed(median([])), "–");
});

Deno.test("a figure holds at its bound and not beyond it", () => {
  assert.ok(atMost("a", 2, 2).holds && !atMost("a", 2.1, 2).holds);
  assert.ok(atLeast("a", 2, 2).holds && !atLeast("a", 1.9, 2).holds);
});
