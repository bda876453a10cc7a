import assert from "node:assert/strict";
import { until, within } from "./until.ts";

Deno.test("what comes in the end is given", async () => {
  let looks = 0;
  assert.equal(await until("the third look", () => ++looks === 3 ? "it" : undefined), "it");
  assert.equal(await until("a look", () => Promise.resolve(0)), 0, "0 is something");
  assert.equal(await within("a value", Promise.resolve("it")), "it");
});

Deno.test("what never comes is named once the limit is over", async () => {
  const message = "Waited 0.05 s in vain for rain";
  await assert.rejects(until("rain", () => false, 50), { message });
  await assert.rejects(within("rain", new Promise(() => {}), 50), { message });
  await assert.rejects(within(() => "rain", new Promise(() => {}), 50), { message });
});

Deno.test("a look that never ends is given up, too", async () => {
  await assert.rejects(
    until("an answer", () => new Promise<boolean>(() => {}), 50),
    /^Error: Waited 0\.05 s in vain for an answer$/,
  );
});

Deno.test("what fails while it is waited for fails as itself", async () => {
  const failure = new TypeError("no");
  await assert.rejects(within("a value", Promise.reject(failure)), (error) => error === failure);
  await assert.rejects(until("a value", () => Promise.reject(failure)), (e) => e === failure);
});
