import assert from "node:assert/strict";
import { detectAtHalfSize } from "./half_size.ts";
import { faceAt, scriptedNet } from "../testing/scripted_net.ts";

Deno.test("a network is shown the mean of each four pixels", async () => {
  const inputs: [number[], number, number][] = [];
  const net = scriptedNet({});
  net.detect = (rgb, width, height) => {
    inputs.push([[...rgb], width, height]);
    return Promise.resolve([]);
  };
  const grey = (...values: number[]) => Uint8Array.from(values.flatMap((v) => [v, v + 1, v + 2]));
  const odd = grey(10, 20, 30, 40, 99, 30, 40, 50, 60, 99, 9, 9, 9, 9, 9);
  await detectAtHalfSize(net, odd, 5, 3, 0.5);
  assert.deepEqual(inputs, [[[25, 26, 27, 45, 46, 47], 2, 1]]);
});

Deno.test("what it finds is in the pixels of the full size", async () => {
  const net = scriptedNet({ 50: [faceAt(10, 20, 8, 0.9)] });
  const found = await detectAtHalfSize(net, new Uint8Array(100 * 60 * 3), 100, 60, 0.5);
  assert.deepEqual(found, [faceAt(20, 40, 16, 0.9)]);
});
