import { endOf, within } from "@fovea/testing";
import assert from "node:assert/strict";
import { openEncoder } from "./encoder.ts";
import { addressOf, computeIn, SlotKeeper } from "./slots.ts";
import { packFp32 } from "./testing/packed_towers.ts";
import { randomPictures, randomTower, SMALL } from "./testing/random_tower.ts";

async function towerWith(slots: number) {
  const weights = await packFp32(randomTower(SMALL), { slots });
  return { weights, keeper: new SlotKeeper(weights) };
}

Deno.test("slots lie apart, and there are as many as were asked for", async () => {
  const { weights, keeper } = await towerWith(3);
  const addresses = [keeper.take(), keeper.take(), keeper.take()].map((slot) =>
    addressOf(weights, slot)
  );
  const [first, second, third] = addresses as [number, number, number];
  assert.equal(second - first, weights.slots.bytes);
  assert.equal(third - second, weights.slots.bytes);
  assert.equal(third + weights.slots.bytes, weights.memory.buffer.byteLength);
  assert.throws(() => keeper.take(), /Cannot hand out a slot: all 3 are taken/);
  assert.throws(() => addressOf(weights, { index: 3, turn: 1 }), /Cannot compute in slot 3/);
});

Deno.test("a slot that is given back is handed out again, and who had it can't use it any more", async () => {
  const { weights, keeper } = await towerWith(1);
  const [picture] = randomPictures(SMALL, 1);
  const before = keeper.take();
  const encoder = openEncoder(weights, before);
  const expected = encoder.run(picture!);
  keeper.release(before);
  const after = keeper.take();
  assert.equal(after.index, before.index);
  assert.throws(() => encoder.run(picture!), /Cannot compute in a slot: it was taken back/);
  assert.deepEqual(openEncoder(weights, after).run(picture!), expected);
  // Giving it back twice takes it from nobody.
  keeper.release(before);
  assert.throws(() => keeper.take(), /all 1 are taken/);
});

Deno.test("a slot in which somebody still computes is not handed out", async () => {
  const { weights, keeper } = await towerWith(2);
  const slot = keeper.take();
  computeIn(weights, slot, () => {
    keeper.release(slot);
    assert.notEqual(keeper.take().index, slot.index);
    assert.throws(() => keeper.take(), /all 2 are taken/);
  });
  assert.equal(keeper.take().index, slot.index);
});

Deno.test("what fails in a slot leaves it usable", async () => {
  const { weights, keeper } = await towerWith(1);
  const slot = keeper.take();
  assert.throws(() => computeIn(weights, slot, () => assert.fail("on purpose")), /on purpose/);
  assert.equal(computeIn(weights, slot, () => 1), 1);
});

Deno.test("threads share the weights, and one that was ended leaves the others' numbers alone", async () => {
  const { weights, keeper } = await towerWith(4);
  const [picture] = randomPictures(SMALL, 1);
  const expected = openEncoder(weights, keeper.take()).run(picture!);
  const script = new URL("./testing/embedding_worker.ts", import.meta.url);
  const startWorker = () => {
    const slot = keeper.take();
    const worker = new Worker(script, { type: "module" });
    const answers = () => {
      const answer = Promise.withResolvers<unknown>();
      worker.onmessage = ({ data }: MessageEvent) => answer.resolve(data);
      return within("an embedding", answer.promise);
    };
    worker.postMessage({ weights, slot, picture });
    return { slot, worker, answers };
  };
  const [ended, other] = [startWorker(), startWorker()];
  assert.deepEqual(await Promise.all([ended.answers(), other.answers()]), [expected, expected]);
  ended.worker.terminate();
  keeper.release(ended.slot);
  const successor = startWorker();
  assert.deepEqual(await successor.answers(), expected);
  assert.deepEqual(await other.answers(), expected);
  for (const { worker } of [other, successor]) worker.terminate();
});

Deno.test("the memory comes back when weights are dropped and the threads that had them have ended", async () => {
  const script = new URL("./testing/drop_weights.ts", import.meta.url).pathname;
  const { stdout, stderr } = await endOf(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", "--v8-flags=--expose-gc", script],
  });
  // Each of the six had 90 MB.
  const rss = Number(stdout);
  assert.ok(rss > 0 && rss < 300e6, `${rss} bytes are left ${stderr}`);
});
