import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { compileKernels, exactLevels } from "../kernels/kernels.ts";
import { openFirst, packFp32 } from "../testing/packed_towers.ts";
import { randomPictures, randomTower, SMALL } from "../testing/random_tower.ts";
import type { Weights } from "../weights.ts";
import type { Precision } from "./layout.ts";
import { packInt8 } from "./pack_int8.ts";
import { type Identity, readPackedFile, writePackedFile } from "./packed_file.ts";

const MODEL = "ab".repeat(32);
const tower = randomTower(SMALL);
const [picture] = randomPictures(SMALL, 1);
const levels = exactLevels(await compileKernels());
const identity = (precision: Precision): Identity => ({ model: MODEL, precision, levels });

const embed = (weights: Weights) => openFirst(weights).run(picture!);

/** Writes a file, changes its bytes and reads it. */
async function readChanged(change: (bytes: Uint8Array) => Uint8Array, of = identity("fp32")) {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/tower.packed`;
  await writePackedFile(path, MODEL, await packFp32(tower), null);
  await Deno.writeFile(path, change(await Deno.readFile(path)));
  return await readPackedFile(path, of, {});
}

Deno.test("weights come back from their file as they were, in either precision", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/tower.packed`;
  const { weights: int8, proof } = await packInt8(tower, randomPictures(SMALL, 4));
  for (const weights of [await packFp32(tower), int8]) {
    await writePackedFile(
      path,
      MODEL,
      weights,
      weights === int8 ? { ...proof, isGood: true } : null,
    );
    const read = await readPackedFile(path, identity(weights.precision), { slots: 2, maxBatch: 3 });
    assert.ok(read.kind === "weights");
    assert.equal(read.weights.slots.count, 2);
    assert.equal(read.weights.maxBatch, 3);
    assert.equal(read.weights.proof?.pictures, weights === int8 ? 4 : undefined);
    assert.deepEqual(embed(read.weights), embed(weights));
  }
});

Deno.test("a file that is not there is no error", async () => {
  await using folder = await temporaryFolder();
  const read = await readPackedFile(`${folder.path}/none`, identity("fp32"), {});
  assert.deepEqual(read, { kind: "nothing", reason: "there is none yet" });
});

const flip = (at: number) => (bytes: Uint8Array) => {
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes;
};

const UNUSABLE: Record<string, [(bytes: Uint8Array) => Uint8Array, RegExp]> = {
  "empty": [() => new Uint8Array(), /it is cut off/],
  "cut off in its header": [(bytes) => bytes.slice(0, 100), /it is cut off/],
  "cut off in its weights": [(bytes) => bytes.slice(0, -1), /it has \d+ bytes/],
  "without its weights": [(bytes) => bytes.slice(0, 4096), /it has 4096 bytes/],
  "longer than it should be": [
    (bytes) => new Uint8Array([...bytes, 0]),
    /it has \d+ bytes, and should have/,
  ],
  "foreign": [(bytes) => bytes.fill(7), /no file of packed weights/],
  "damaged in its header": [flip(60), /no file of packed weights, or damaged/],
  "damaged behind its header": [flip(4095), /no file of packed weights, or damaged/],
  "damaged in its first weight": [flip(4096), /it is damaged/],
  "damaged in its last byte": [flip(-1), /it is damaged/],
};

for (const [name, [change, reason]] of Object.entries(UNUSABLE)) {
  Deno.test(`a file that is ${name} is not used`, async () => {
    const read = await readChanged(change);
    assert.ok(read.kind === "nothing");
    assert.match(read.reason, reason);
  });
}

Deno.test("a file of another model or precision is not used", async () => {
  for (const change of [{ model: "cd".repeat(32) }, { precision: "int8" as const }]) {
    const read = await readChanged((bytes) => bytes, { ...identity("fp32"), ...change });
    assert.deepEqual(read, { kind: "nothing", reason: "it was packed from another model" });
  }
});

Deno.test("int8 that was proved with another dot product is not used", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/tower.packed`;
  const { weights, proof } = await packInt8(tower, randomPictures(SMALL, 3));
  await writePackedFile(path, MODEL, weights, proof);
  const other = { ...identity("int8"), levels: levels === 255 ? 127 : 255 } as const;
  const read = await readPackedFile(path, other, {});
  assert.ok(read.kind === "nothing");
  assert.match(read.reason, /it was proved with \d+ levels, and here are \d+/);
});

Deno.test("int8 that failed to prove itself leaves the proof and no weights", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/tower.packed`;
  const { weights } = await packInt8(tower, randomPictures(SMALL, 2));
  const proof = { pictures: 2, smallestCosine: 0.9, neighboursKept: 2, isGood: false };
  await writePackedFile(path, MODEL, weights, proof);
  assert.equal((await Deno.stat(path)).size, 4096);
  assert.deepEqual(await readPackedFile(path, identity("int8"), {}), { kind: "refused", proof });
});
