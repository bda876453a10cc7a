import assert from "node:assert/strict";
import { SerialQueue } from "./serial_queue.ts";

Deno.test("actions run one at a time in the order of asking, whatever becomes of those before", async () => {
  const queue = new SerialQueue();
  const steps: string[] = [];
  const action = (name: string) => async () => {
    steps.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    steps.push(`${name} ends`);
    if (name === "first") throw new Error("first failed");
    return name;
  };
  const [first, second] = await Promise.allSettled([
    queue.run(action("first")),
    queue.run(action("second")),
  ]);
  assert.equal(first.status, "rejected");
  assert.deepEqual(second, { status: "fulfilled", value: "second" });
  assert.deepEqual(steps, ["first begins", "first ends", "second begins", "second ends"]);
});
