import assert from "node:assert/strict";
import { type Raster, resample } from "./resample.ts";

/** A raster whose pixels follow from their place; remembers which rows were asked for at once. */
function raster(
  width: number,
  height: number,
  colour: (x: number, y: number) => number[],
): Raster & { reads: { y: number; height: number }[] } {
  const reads: { y: number; height: number }[] = [];
  return {
    width,
    height,
    channels: colour(0, 0).length,
    reads,
    read(left, top, columns, rows) {
      assert.ok(left >= 0 && top >= 0 && left + columns <= width && top + rows <= height);
      reads.push({ y: top, height: rows });
      const pixels: number[] = [];
      for (let y = top; y < top + rows; y++) {
        for (let x = left; x < left + columns; x++) pixels.push(...colour(x, y));
      }
      return new Uint8Array(pixels);
    },
  };
}

Deno.test("a region at its own size is copied", () => {
  const source = raster(20, 10, (x, y) => [x, y, x + y]);
  const rgb = resample(source, { x: 3, y: 2, width: 2, height: 2 }, 2, 2);
  assert.deepEqual([...rgb], [3, 2, 5, 4, 2, 6, 3, 3, 6, 4, 3, 7]);
});

Deno.test("what lies behind red, green and blue is left aside", () => {
  const source = raster(8, 8, () => [1, 2, 3, 99]);
  const rgb = resample(source, { x: 0, y: 0, width: 8, height: 8 }, 1, 1);
  assert.deepEqual([...rgb], [1, 2, 3]);
});

Deno.test("shrinking counts every pixel, by the weights that Pillow gives it", () => {
  const shrunk = (white: number) => {
    const source = raster(8, 1, (x) => x === white ? [255, 255, 255] : [0, 0, 0]);
    const rgb = resample(source, { x: 0, y: 0, width: 8, height: 1 }, 2, 1);
    return [rgb[0], rgb[3]];
  };
  // Of Pillow 9.4: Image.resize((2, 1), BICUBIC), one pixel of eight white.
  assert.deepEqual(shrunk(0), [50, 0]);
  assert.deepEqual(shrunk(3), [50, 27]);
  assert.deepEqual(shrunk(7), [0, 50]);
});

Deno.test("pixels around a region count at its edges, and there are none around the picture", () => {
  const split = raster(16, 1, (x) => x < 8 ? [0, 0, 0] : [200, 200, 200]);
  const beside = resample(split, { x: 8, y: 0, width: 8, height: 1 }, 2, 1);
  assert.notEqual(beside[0], 200);
  const whole = raster(8, 1, () => [200, 200, 200]);
  assert.deepEqual(
    new Set(resample(whole, { x: 0, y: 0, width: 8, height: 1 }, 2, 1)),
    new Set([200]),
  );
});

Deno.test("a large picture is read strip by strip, each row once", () => {
  const source = raster(600, 1500, () => [7, 7, 7]);
  resample(source, { x: 0, y: 0, width: 600, height: 1500 }, 4, 4);
  assert.ok(source.reads.length > 1);
  let next = 0;
  for (const { y, height } of source.reads) {
    assert.equal(y, next);
    next += height;
  }
  assert.equal(next, 1500);
});
