import assert from "node:assert/strict";
import { openEncoder } from "./encoder.ts";
import type { Levels } from "./kernels/kernels.ts";
import { layOut } from "./packing/layout.ts";
import { packInt8 } from "./packing/pack_int8.ts";
import { cosine } from "./packing/proof.ts";
import { SlotKeeper } from "./slots.ts";
import { largestDifference } from "./testing/exported_towers.ts";
import { batchOf, randomPictures, randomTower, SMALL } from "./testing/random_tower.ts";
import { openFirst, packFp32 } from "./testing/packed_towers.ts";
import { embedPlainly } from "./testing/reference.ts";
import type { ImageTowerShape } from "./tower.ts";
import { UnsupportedModel } from "./unsupported_model.ts";
import { allotWeights, type Weights, WEIGHTS_START } from "./weights.ts";

const SHAPES: Record<string, Partial<ImageTowerShape>> = {
  "17 tokens, quick GELU": {},
  "GELU": { activation: "gelu" },
  "2 tokens": { imageSize: 6, tokens: 2 },
  "50 tokens": { imageSize: 42, tokens: 50 },
  "one block": { layers: 1 },
  "one head": { heads: 1 },
  "a width of 16 and a patch of 5": {
    imageSize: 15,
    patch: 5,
    tokens: 10,
    width: 16,
    heads: 2,
    mlp: 48,
  },
  "a width of 112": { width: 112, heads: 7, embedding: 40 },
  "another epsilon": { epsilon: 0.1 },
};

for (const [name, change] of Object.entries(SHAPES)) {
  Deno.test(`fp32 computes what float64 does: ${name}`, async () => {
    const tower = randomTower({ ...SMALL, ...change });
    const pictures = randomPictures(tower.shape, 2);
    const embeddings = openFirst(await packFp32(tower, { maxBatch: 2 })).run(batchOf(pictures), 2);
    const expected = pictures.flatMap((picture) => embedPlainly(tower, picture));
    assert.ok(largestDifference(embeddings, expected) < 1e-5);
  });
}

Deno.test("a picture gets the same bits in batches of 1 to 9", async () => {
  const tower = randomTower(SMALL);
  const pictures = randomPictures(SMALL, 9);
  const fp32 = await packFp32(tower, { maxBatch: 9 });
  const int8 = await allotWeights(SMALL, "int8", { maxBatch: 9 });
  copyWeights((await packInt8(tower, pictures)).weights, int8);
  for (const weights of [fp32, int8]) {
    const encoder = openFirst(weights);
    const alone = pictures.flatMap((picture) => [...encoder.run(picture)]);
    for (let batch = 1; batch <= 9; batch++) {
      const together = encoder.run(batchOf(pictures.slice(0, batch)), batch);
      assert.deepEqual([...together], alone.slice(0, batch * SMALL.embedding));
    }
  }
});

/** From a memory with room for one picture to one with more. */
function copyWeights(from: Weights, to: Weights): void {
  const { end } = layOut(from.shape, from.precision, WEIGHTS_START);
  const of = ({ memory }: Weights) =>
    new Uint8Array(memory.buffer, WEIGHTS_START, end - WEIGHTS_START);
  of(to).set(of(from));
}

Deno.test("int8 stays near float64, with 8 bits and with 7", async () => {
  const tower = randomTower(SMALL);
  const pictures = randomPictures(SMALL, 6);
  const { weights } = await packInt8(tower, pictures);
  for (const [levels, smallest] of [[255, 0.999], [127, 0.998]] as [Levels, number][]) {
    if (levels > weights.levels) continue;
    const encoder = openFirst({ ...weights, levels });
    for (const picture of pictures) {
      const expected = Float32Array.from(embedPlainly(tower, picture));
      assert.ok(cosine(encoder.run(picture), expected) > smallest);
    }
  }
});

Deno.test("encoders in two slots don't see each other's numbers", async () => {
  const weights = await packFp32(randomTower(SMALL), { slots: 2 });
  const keeper = new SlotKeeper(weights);
  const [one, other] = [keeper.take(), keeper.take()].map((slot) => openEncoder(weights, slot));
  const [a, b] = randomPictures(SMALL, 2);
  const first = one!.run(a!);
  const second = other!.run(b!);
  assert.notDeepEqual(first, second);
  assert.deepEqual(one!.run(a!), first);
  assert.deepEqual(one!.run(b!), second);
});

Deno.test("the kernels leave the stack that they share alone", async () => {
  const weights = await packFp32(randomTower(SMALL));
  const stack = new Uint8Array(weights.memory.buffer, 0, 1024).fill(0xa5);
  openFirst(weights).run(randomPictures(SMALL, 1)[0]!);
  assert.ok(stack.every((byte) => byte === 0xa5));
});

Deno.test("an encoder says which batch and how many pixels it takes", async () => {
  const weights = await packFp32(randomTower(SMALL), { maxBatch: 2 });
  const encoder = openFirst(weights);
  const [picture] = randomPictures(SMALL, 1);
  for (const batch of [0, 3, 1.5, NaN]) {
    assert.throws(
      () => encoder.run(picture!, batch),
      /Cannot embed .* at a time: 1 to 2 are allowed/,
    );
  }
  assert.throws(() => encoder.run(picture!, 2), /Cannot embed 2 × 1728 numbers: there are 1728/);
});

for (
  const [change, message] of [
    [{ width: 40, heads: 5 }, /a width of 40 can't be tiled: it is no multiple of 16/],
    [{ mlp: 72 }, /an MLP width of 72 can't be tiled/],
    [{ heads: 12 }, /a head's width of 4 can't be tiled: it is no multiple of 8/],
    [{ embedding: 20 }, /an embedding size of 20 can't be tiled/],
  ] as [Partial<ImageTowerShape>, RegExp][]
) {
  Deno.test(`a tower with ${JSON.stringify(change)} is refused by name`, async () => {
    await assert.rejects(allotWeights({ ...SMALL, ...change }, "fp32", {}), (error) => {
      assert.ok(error instanceof UnsupportedModel);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("room for nothing or for more than there is memory is refused", async () => {
  for (const room of [{ slots: 0 }, { maxBatch: -1 }, { maxBatch: 0.5 }]) {
    await assert.rejects(allotWeights(SMALL, "fp32", room), /must be a whole number from 1 on/);
  }
  await assert.rejects(allotWeights(SMALL, "fp32", { slots: 100_000 }), /Cannot make room/);
});
