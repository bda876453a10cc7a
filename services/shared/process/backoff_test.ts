import assert from "node:assert/strict";
import { pauseBefore } from "./backoff.ts";

const backoff = { firstMs: 1000, factor: 5, maxMs: 30_000 };

Deno.test("pauses grow by their factor up to the longest, and chance takes at most half of each", () => {
  const pauses = (random: number) =>
    [1, 2, 3, 100].map((tries) => pauseBefore(backoff, tries, () => random));
  assert.deepEqual(pauses(1), [1000, 5000, 25_000, 30_000]);
  assert.deepEqual(pauses(0), [500, 2500, 12_500, 15_000]);
});
