import assert from "node:assert/strict";
import { ServiceRate } from "./service_rate.ts";

function rateAt() {
  const clock = { nowMs: 5000 };
  return { clock, rate: new ServiceRate(() => clock.nowMs) };
}

Deno.test("before any job has ended the rate is zero", () => {
  assert.equal(rateAt().rate.perSecond, 0);
});

Deno.test("soon after the start the rate is that since the start, later that of the last minute", () => {
  const { clock, rate } = rateAt();
  for (let i = 0; i < 10; i++) {
    rate.count();
    clock.nowMs += 500;
  }
  clock.nowMs -= 500;
  assert.equal(rate.perSecond, 2);
  clock.nowMs += 56_000;
  assert.equal(rate.lastMinute, 8);
  clock.nowMs += 3_600_000;
  assert.equal(rate.lastMinute, 0);
  rate.count();
  assert.equal(rate.perSecond, 1 / 60);
});
