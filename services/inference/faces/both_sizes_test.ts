import assert from "node:assert/strict";
import { sureAtBothSizes } from "./both_sizes.ts";
import { faceAt, scriptedNet } from "../testing/scripted_net.ts";

const BLANK = new Uint8Array(600 * 600 * 3);

Deno.test("a large face is as sure as the less sure of two sizes is", async () => {
  const net = scriptedNet({ 600: [faceAt(100, 100, 200, 0.9)], 300: [faceAt(52, 50, 100, 0.7)] });
  const found = await sureAtBothSizes(net).detect(BLANK, 600, 600, 0.6);
  assert.deepEqual(found, [faceAt(100, 100, 200, 0.7)]);
});

Deno.test("a large face that is elsewhere at half the size, or not there, is none", async () => {
  for (const atHalf of [[], [faceAt(200, 200, 100, 0.9)]]) {
    const net = scriptedNet({ 600: [faceAt(100, 100, 200, 0.9)], 300: atHalf });
    assert.deepEqual(await sureAtBothSizes(net).detect(BLANK, 600, 600, 0.6), []);
  }
});

Deno.test("small faces are believed as they are, without a second look", async () => {
  const net = scriptedNet({ 600: [faceAt(100, 100, 50, 0.9)] });
  assert.equal((await sureAtBothSizes(net).detect(BLANK, 600, 600, 0.6)).length, 1);
  assert.deepEqual(net.widths, [600]);
});
