import assert from "node:assert/strict";
import { openTextEncoder, type TextEncoder } from "./encoder.ts";
import { SlotKeeper } from "./slots.ts";
import { largestDifference } from "./testing/exported_towers.ts";
import { packFp32 } from "./testing/packed_towers.ts";
import { randomNumbers, randomTextTower, SMALL_TEXT } from "./testing/random_tower.ts";
import { embedTextPlainly } from "./testing/reference.ts";
import { tokenTableOf } from "./token_table.ts";
import type { TextTower, TextTowerShape } from "./tower.ts";

async function encoderOf(tower: TextTower): Promise<TextEncoder> {
  const weights = await packFp32(tower);
  const table = tokenTableOf(tower.tokenEmbedding, tower.shape.width);
  return openTextEncoder(weights, new SlotKeeper(weights).take(), table);
}

/** Texts of 1 to all tokens. */
function texts({ vocabulary, tokens }: TextTowerShape): number[][] {
  const random = randomNumbers(5);
  const token = () => Math.floor((random() + 1) / 2 * vocabulary) % vocabulary;
  return Array.from({ length: tokens }, (_, i) => Array.from({ length: i + 1 }, token));
}

const SHAPES: Record<string, Partial<TextTowerShape>> = {
  "three heads, quick GELU": {},
  "GELU": { activation: "gelu" },
  "one block": { layers: 1 },
  "one head, 77 tokens": { heads: 1, tokens: 77, layers: 1 },
  "a width of 112": { width: 112, heads: 7, embedding: 40 },
};

for (const [name, change] of Object.entries(SHAPES)) {
  Deno.test(`a text of any length is embedded as float64 does: ${name}`, async () => {
    const tower = randomTextTower({ ...SMALL_TEXT, ...change });
    const encoder = await encoderOf(tower);
    for (const tokens of texts(tower.shape).filter((_, i) => i < 20 || i % 19 === 0)) {
      const difference = largestDifference(encoder.run(tokens), embedTextPlainly(tower, tokens));
      assert.ok(difference < 1e-5, `${tokens.length} tokens: ${difference}`);
    }
  });
}

Deno.test("a text gets the same bits whatever was embedded before it", async () => {
  const encoder = await encoderOf(randomTextTower(SMALL_TEXT));
  const all = texts(SMALL_TEXT);
  const first = all.map((tokens) => encoder.run(tokens));
  assert.deepEqual(all.toReversed().map((tokens) => encoder.run(tokens)).reverse(), first);
});

Deno.test("no tokens, too many, and such as there are not are refused", async () => {
  const encoder = await encoderOf(randomTextTower(SMALL_TEXT));
  const { tokens, vocabulary } = SMALL_TEXT;
  for (const count of [0, tokens + 1]) {
    assert.throws(
      () => encoder.run(new Array<number>(count).fill(1)),
      new RangeError(`Cannot embed ${count} tokens: 1 to ${tokens} are allowed`),
    );
  }
  for (const token of [-1, vocabulary, 1.5, NaN]) {
    assert.throws(() => encoder.run([1, token]), RangeError);
  }
});
