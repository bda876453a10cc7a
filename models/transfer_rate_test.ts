import assert from "node:assert/strict";
import { TransferRate } from "./transfer_rate.ts";

Deno.test("the time left follows from what came within the last half minute", () => {
  const rate = new TransferRate();
  assert.equal(rate.secondsUntil(1000, 0), null);
  // What an earlier run left does not count as having come now.
  rate.add(500, 0);
  assert.equal(rate.secondsUntil(1000, 5000), null);
  for (let second = 1; second <= 10; second++) rate.add(500 + second, second * 1000);
  assert.equal(rate.secondsUntil(1000, 10_000), 490);
  for (let second = 11; second <= 50; second++) rate.add(510 + 2 * (second - 10), second * 1000);
  assert.equal(rate.secondsUntil(1000, 50_000), 205);
});

Deno.test("where nothing comes any more, or all is gone, no time is known", () => {
  const rate = new TransferRate();
  rate.add(0, 0);
  rate.add(100, 2000);
  assert.equal(rate.secondsUntil(1000, 2000), 18);
  assert.equal(rate.secondsUntil(1000, 40_000), null);
  rate.add(200, 41_000);
  rate.add(0, 42_000);
  assert.equal(rate.secondsUntil(1000, 43_000), null);
});

Deno.test("a thousand chunks a second are measured like one", () => {
  const rate = new TransferRate();
  for (let at = 0; at <= 20_000; at++) rate.add(at, at);
  assert.equal(rate.secondsUntil(30_000, 20_000), 10);
});
