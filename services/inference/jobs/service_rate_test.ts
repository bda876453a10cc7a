import assert from "node:assert/strict";
import { ServiceRate } from "./service_rate.ts";

function rateAt() {
  const clock = { ms: 5000 };
  return { clock, rate: new ServiceRate(() => clock.ms) };
}

Deno.test("before any job has ended the rate is zero", () => {
  assert.equal(rateAt().rate.perSecond, 0);
});

Deno.test("soon after the start the rate is that since the start, later that of the last minute", () => {
  const { clock, rate } = rateAt();
  for (let i = 0; i < 10; i++) {
    rate.count();
    clock.ms += 500;
  }
  clock.ms -= 500;
  assert.equal(rate.perSecond, 2);
  clock.ms += 56_000;
  assert.equal(rate.lastMinute, 8);
  clock.ms += 3_600_000;
  assert.equal(rate.lastMinute, 0);
  rate.count();
  assert.equal(rate.perSecond, 1 / 60);
});
