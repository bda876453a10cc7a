import assert from "node:assert/strict";
import { type PairedPicture, type PairKind, pairKind } from "./pair_kind.ts";

const at = (createDate: number | null, width = 4000, height = 3000): PairedPicture => ({
  width,
  height,
  createDate,
});

Deno.test("one picture in two sizes is the same; one after the other is a burst; all else is alike", () => {
  const pairs: [PairKind, ...Parameters<typeof pairKind>][] = [
    ["same", 0.99, 3, at(1), at(null, 400, 300)],
    ["same", 0.97, 10, at(1), at(90_000, 401, 299)],
    ["burst", 0.99, 11, at(1), at(10_001)],
    ["burst", 0.93, 80, at(10_001), at(1, 3000, 4000)],
    ["alike", 0.96, 0, at(1), at(10_002)],
    ["alike", 0.99, 3, at(null), at(null, 3000, 4000)],
    ["alike", 0.99, null, at(1), at(null)],
    ["alike", 0.92, 0, at(1), at(1)],
  ];
  for (const [kind, ...pair] of pairs) {
    assert.equal(pairKind(...pair), kind, JSON.stringify(pair));
  }
});
