import assert from "node:assert/strict";
import { seeded } from "../testing/vectors.ts";
import { groupPairs, type Pair } from "./group_pairs.ts";

const pair = (a: number, b: number, score: number): Pair => ({ a, b, score });

Deno.test("pictures that are all alike are one group, and a chain is none", () => {
  assert.deepEqual(groupPairs([]), []);
  assert.deepEqual(groupPairs([pair(1, 2, 0.95)]), [[1, 2]]);
  assert.deepEqual(
    groupPairs([pair(1, 2, 0.95), pair(2, 3, 0.94), pair(1, 3, 0.93)]),
    [[1, 2, 3]],
  );
  // 1 and 3 have nothing in common: 2 goes with the one that it is more alike to.
  assert.deepEqual(groupPairs([pair(1, 2, 0.94), pair(2, 3, 0.95)]), [[2, 3]]);
  assert.deepEqual(
    groupPairs([pair(1, 2, 0.99), pair(2, 3, 0.98), pair(3, 4, 0.97)]),
    [[1, 2], [3, 4]],
  );
});

Deno.test("equal scores go by ids, and groups come by their most alike pair", () => {
  assert.deepEqual(groupPairs([pair(2, 3, 0.95), pair(1, 2, 0.95)]), [[1, 2]]);
  assert.deepEqual(groupPairs([pair(1, 2, 0.91), pair(7, 8, 0.99)]), [[7, 8], [1, 2]]);
});

Deno.test("in whatever order pairs come, the groups are the same, and all in them are paired", () => {
  const dice = seeded(4);
  for (let round = 0; round < 50; round++) {
    const pairs: Pair[] = [];
    for (let a = 1; a <= 20; a++) {
      for (let b = a + 1; b <= 20; b++) {
        if (dice() < 0.4) pairs.push(pair(a, b, Math.round(dice() * 10) / 10));
      }
    }
    const groups = groupPairs(pairs);
    const shuffled = pairs.map((pair) => ({ pair, key: dice() }))
      .sort((x, y) => x.key - y.key).map(({ pair }) => pair);
    assert.deepEqual(groupPairs(shuffled), groups);
    const ids = groups.flat();
    assert.equal(new Set(ids).size, ids.length);
    const paired = new Set(pairs.map(({ a, b }) => `${a} ${b}`));
    for (const group of groups) {
      assert.ok(group.length >= 2);
      group.forEach((a, i) =>
        group.slice(i + 1).forEach((b) => assert.ok(paired.has(`${a} ${b}`)))
      );
    }
  }
});
