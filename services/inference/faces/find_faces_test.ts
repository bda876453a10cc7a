import assert from "node:assert/strict";
import { findFaces } from "./find_faces.ts";
import { faceAt, scriptedNet } from "../testing/scripted_net.ts";

const SIZE = { width: 600, height: 600 };
const WHOLE = {
  view: { region: { x: 0, y: 0, ...SIZE }, ...SIZE, whole: true },
  rgb: new Uint8Array(600 * 600 * 3),
};
const sides = (faces: { bbox: { width: number } }[]) => faces.map(({ bbox }) => bbox.width);

Deno.test("a picture in which nothing is found is looked at again at half the size", async () => {
  const net = scriptedNet({ 300: [faceAt(10, 10, 250, 0.9)] });
  assert.deepEqual(sides(await findFaces(net, [WHOLE], SIZE)), [500]);
});

Deno.test("a nose of a face that only half the size shows is no face", async () => {
  const net = scriptedNet({
    600: [faceAt(200, 200, 150, 0.8), faceAt(0, 0, 400, 0.7)],
    300: [faceAt(0, 0, 280, 0.9)],
  });
  assert.deepEqual(sides(await findFaces(net, [WHOLE], SIZE)), [560]);
});

Deno.test("a picture with small faces only, and a small picture, are looked at once", async () => {
  const net = scriptedNet({ 600: [faceAt(10, 10, 90, 0.9)] });
  await findFaces(net, [WHOLE], SIZE);
  assert.deepEqual(net.widths, [600]);

  const small = { width: 300, height: 200 };
  const view = { region: { x: 0, y: 0, ...small }, ...small, whole: true };
  const other = scriptedNet({});
  await findFaces(other, [{ view, rgb: new Uint8Array(300 * 200 * 3) }], small);
  assert.deepEqual(other.widths, [300]);
});

Deno.test("a threshold chooses among the same faces", async () => {
  const net = scriptedNet({
    600: [faceAt(0, 0, 50, 0.3), faceAt(400, 400, 60, 0.65)],
    300: [faceAt(0, 150, 140, 0.8)],
  });
  const at = async (min_confidence?: number) =>
    sides(await findFaces(net, [WHOLE], SIZE, { min_confidence }));
  assert.deepEqual(await at(), [60]);
  assert.deepEqual(await at(0.1), [60, 50]);
  assert.deepEqual(await at(0.7), [], "a high threshold turns up no others");
});

Deno.test("in a large face a tile sees no others, but one that is unsure hides nothing", async () => {
  const region = { x: 0, y: 0, width: 400, height: 400 };
  const tile = {
    view: { region, width: 200, height: 200, whole: false },
    rgb: new Uint8Array(200 * 200 * 3),
  };
  const netWith = (large: number) =>
    scriptedNet({
      600: [faceAt(0, 0, 290, large), faceAt(500, 500, 50, 0.9)],
      200: [faceAt(50, 50, 20, 0.8)],
    });
  const at = async (large: number) =>
    sides(await findFaces(netWith(large), [WHOLE, tile], SIZE, { min_confidence: 0.1 }));
  assert.deepEqual(await at(0.7), [290, 50]);
  assert.deepEqual(await at(0.2), [290, 50, 40]);
});

Deno.test("of more faces than wanted the most confident are kept, largest first", async () => {
  const net = scriptedNet({
    600: [faceAt(0, 0, 20, 0.9), faceAt(100, 0, 60, 0.7), faceAt(200, 0, 40, 0.8)],
  });
  const faces = await findFaces(net, [WHOLE], SIZE, { max_faces: 2 });
  assert.deepEqual(sides(faces), [40, 20]);
  assert.deepEqual(faces.map(({ face_index }) => face_index), [0, 1]);
});

Deno.test("a job may ask for everything that could be a face, and gets an answer", async () => {
  const everything = Array.from(
    { length: 8400 },
    (_, i) => faceAt(6 * (i % 100), 6 * Math.floor(i / 100), 5, i / 8400),
  );
  const faces = await findFaces(scriptedNet({ 600: everything }), [WHOLE], SIZE, {
    min_confidence: 0,
  });
  assert.equal(faces.length, 1000);
  assert.ok(faces.every(({ confidence }) => confidence >= 7400 / 8400));
});
