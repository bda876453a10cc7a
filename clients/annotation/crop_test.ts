import assert from "node:assert/strict";
import { crop } from "./crop.ts";
import { rectangle } from "./picture.ts";

const FACE = 0xff0000ff, GROUND = 0x0000ffff;

Deno.test("a face is cut out with a quarter of its size around it", () => {
  const picture = rectangle(200, 200, GROUND).replace(rectangle(40, 60, FACE), 80, 70);
  const { width, height, u32 } = crop(picture, { x: 80, y: 70, width: 40, height: 60 });
  assert.deepEqual([width, height], [60, 90]);
  const [faceValue] = rectangle(1, 1, FACE).u32;
  const at = (x: number, y: number) => u32[x + y * width] === faceValue;
  assert.deepEqual([at(10, 15), at(9, 15), at(10, 14)], [true, false, false]);
  assert.deepEqual([at(49, 74), at(50, 74), at(49, 75)], [true, false, false]);
});

Deno.test("the margin ends where the picture does", () => {
  const picture = rectangle(100, 80, GROUND);
  const { width, height } = crop(picture, { x: 0, y: 20, width: 100, height: 60 });
  assert.deepEqual([width, height], [100, 75]);
});
