import assert from "node:assert/strict";
import { sharedReading } from "./shared_reading.ts";

Deno.test("who asks while a reading is under way gets that one, who asks later a new one", async () => {
  let readings = 0;
  const read = sharedReading(() => Promise.resolve(++readings));
  assert.deepEqual(await Promise.all([read(), read()]), [1, 1]);
  assert.equal(await read(), 2);
});

Deno.test("a reading that fails is not kept", async () => {
  let readings = 0;
  const read = sharedReading(() => {
    if (++readings === 1) throw new Error("locked");
    return Promise.resolve(readings);
  });
  await assert.rejects(async () => await read(), /locked/);
  assert.equal(await read(), 2);
});
