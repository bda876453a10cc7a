import assert from "node:assert/strict";
import { randomPictures, randomTower, SMALL } from "../testing/random_tower.ts";
import { openFirst, packFp32 } from "../testing/packed_towers.ts";
import type { ImageTower } from "../tower.ts";
import { allotWeights, WEIGHTS_START } from "../weights.ts";
import { layOut, linearsOf } from "./layout.ts";
import { packTower } from "./pack_tower.ts";
import { packInt8 } from "./pack_int8.ts";
import { cosine, prove } from "./proof.ts";
import { calibrationPictures } from "./calibration_pictures.ts";
import { quantiseWeights } from "./quantise_weights.ts";

const pictures = randomPictures(SMALL, 12);

Deno.test("an ordinary tower passes its proof as int8", async () => {
  const { proof } = await packInt8(randomTower(SMALL), pictures);
  assert.ok(proof.isGood, JSON.stringify(proof));
  assert.equal(proof.pictures, 12);
});

/**
 * A tower with outliers as CLIP has them: four channels of each normalisation are 50 times as large,
 * and count for 10 times as much as others.
 */
function towerWithOutliers(): ImageTower {
  const shape = {
    ...SMALL,
    imageSize: 42,
    tokens: 50,
    width: 192,
    heads: 3,
    layers: 4,
    mlp: 768,
    embedding: 64,
  };
  const tower = randomTower(shape);
  tower.blocks.forEach(({ norm1, norm2, query, key, value, up }, i) => {
    for (let j = 0; j < 4; j++) {
      const channel = (37 * i + 50 * j) % shape.width;
      norm1.gain[channel]! *= 50;
      norm2.gain[channel]! *= 50;
      for (const { weight, outputs } of [query, key, value, up]) {
        for (let n = 0; n < outputs; n++) weight[channel * outputs + n]! /= 5;
      }
    }
  });
  return tower;
}

Deno.test("int8 holds on a tower with outliers, where int8 that ignores them does not", async () => {
  const tower = towerWithOutliers();
  const { shape } = tower;
  const pictures = randomPictures(shape, 12);
  const { proof } = await packInt8(tower, pictures);
  assert.ok(proof.isGood, JSON.stringify(proof));

  // Nothing known of the inputs: nothing is balanced, and any eight are outliers.
  const layout = layOut(shape, "int8", WEIGHTS_START);
  const naive = await allotWeights(shape, "int8", {});
  packTower(
    tower,
    layout,
    naive.memory,
    linearsOf(layout).map(({ depth }) => new Float32Array(depth)),
  );
  const [exact, careless] = [openFirst(await packFp32(tower)), openFirst(naive)];
  const cosines = pictures.map((picture) => cosine(careless.run(picture), exact.run(picture)));
  assert.ok(Math.min(...cosines) < 0.98, `cosines are ${cosines}`);
});

Deno.test("a proof is failed by one picture that comes out otherwise, or has another neighbour", () => {
  const unit = (angle: number) => Float32Array.of(Math.cos(angle), Math.sin(angle));
  const exact = [0, 0.1, 0.5, 1.1].map(unit);
  assert.ok(prove(exact, exact).isGood);
  const away = prove(exact, [0.2, 0.1, 0.5, 1.1].map(unit));
  assert.ok(!away.isGood);
  assert.ok(Math.abs(away.smallestCosine - Math.cos(0.2)) < 1e-6);
  const nearer = prove([0, 0.3, 0.5, 1.1].map(unit), [0, 0.3, 0.58, 1].map(unit));
  assert.ok(nearer.smallestCosine > 0.995);
  assert.ok(nearer.isGood);
  const otherwise = prove([0, 0.3, 0.55, 1.1].map(unit), [0.05, 0.25, 0.63, 1.02].map(unit));
  assert.equal(otherwise.neighboursKept, 3, JSON.stringify(otherwise));
  assert.ok(!otherwise.isGood);
});

Deno.test("weights come back from integers within half a step, and columns of zeros as zeros", () => {
  const weight = Float32Array.from(
    { length: 32 * 8 },
    (_, i) => i % 8 === 3 ? 0 : Math.sin(i) * (i % 8),
  );
  const ranges = Float32Array.from(
    { length: 32 },
    (_, k) => k === 4 ? 0 : k === 9 || k === 20 ? 90 : 1,
  );
  const { integers, scales, sums, balance, outliers } = quantiseWeights(
    { inputs: 32, outputs: 8, weight },
    ranges,
  );
  const expectedSums = new Int32Array(8);
  integers.forEach((integer, i) => {
    const [k, n] = [Math.floor(i / 8), i % 8];
    expectedSums[n]! += integer;
    if (outliers.includes(k)) {
      assert.equal(integer, 0);
      assert.equal(balance[k], 0);
    } else {
      const error = Math.abs(weight[i]! / balance[k]! - integer * scales[n]!);
      assert.ok(error <= scales[n]! * 0.5001);
    }
  });
  assert.deepEqual(sums, expectedSums);
  assert.deepEqual([...outliers], [9, 20]);
  assert.ok(integers.some((integer) => Math.abs(integer) === 127));
});

Deno.test("calibration pictures are the same every time, and each has one that is like it", () => {
  const pictures = calibrationPictures(32);
  assert.deepEqual(calibrationPictures(32), pictures);
  assert.equal(pictures.length, 16);
  for (let i = 0; i < 8; i++) {
    assert.notDeepEqual(pictures[i], pictures[i + 8]);
    assert.ok(cosine(pictures[i]!, pictures[i + 8]!) > 0.5);
  }
});
