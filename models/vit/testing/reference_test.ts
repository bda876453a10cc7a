import assert from "node:assert/strict";
import { erf } from "./reference.ts";

Deno.test("the error function has its tabled values (Abramowitz, Stegun 1964, table 7.1)", () => {
  const table = [[0, 0], [0.5, 0.5204998778], [1, 0.8427007929], [1.9, 0.9927904292]] as const;
  for (const [x, value] of [...table, [2, 0.9953222650], [3, 0.9999779095]] as const) {
    assert.ok(Math.abs(erf(x) - value) < 1e-10, `erf(${x}) is ${erf(x)}`);
    assert.equal(erf(-x), -erf(x));
  }
  assert.ok(Math.abs(erf(2) - erf(2 - 1e-12)) < 1e-12); // where one computation goes over to the other
});
