import assert from "node:assert/strict";
import { formatShape, isWhole, OPEN_BATCH, regroup, sizeOf, whole } from "./axes.ts";

const tokens = [whole("picture", OPEN_BATCH), whole("token", 50), whole("channel", 768)];

Deno.test("an axis that is split and put together again is whole", () => {
  const heads = regroup(tokens, [OPEN_BATCH, 50, 12, 64]);
  assert.deepEqual(heads.map(sizeOf), [OPEN_BATCH, 50, 12, 64]);
  assert.ok(!isWhole(heads[2], "channel") && !isWhole(heads[3], "channel"));
  assert.deepEqual(regroup(heads, [OPEN_BATCH, 50, 768]), tokens);
});

Deno.test("an axis that is put together in another order is not whole", () => {
  const [pictures, token, head, within] = regroup(tokens, [OPEN_BATCH, 50, 12, 64]);
  const [, , mixed] = regroup([pictures!, token!, within!, head!], [OPEN_BATCH, 50, 768]);
  assert.equal(sizeOf(mixed!), 768);
  assert.ok(!isWhole(mixed, "channel"));
});

Deno.test("axes of size 1 come and go", () => {
  const squeezed = regroup(tokens, [1, OPEN_BATCH, 50, 1, 768]);
  assert.deepEqual(squeezed[3], []);
  assert.deepEqual(regroup(squeezed, [OPEN_BATCH, 50, 768]), tokens);
});

Deno.test("axes that would begin within a digit are refused", () => {
  for (
    const dims of [[OPEN_BATCH, 768, 51], [OPEN_BATCH, 50, 7, 100], [OPEN_BATCH, 50], [1, 2, 3]]
  ) {
    assert.throws(() => regroup(tokens, dims), /the shape \[n, 50, 768\] can't become/);
  }
});

Deno.test("a message shows what is open", () => {
  assert.equal(formatShape([OPEN_BATCH, 12 * OPEN_BATCH, 50]), "[n, 12 · n, 50]");
});
