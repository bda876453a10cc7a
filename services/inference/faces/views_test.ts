import assert from "node:assert/strict";
import { answersFor, MAX_SHRINK, viewsOf } from "./views.ts";

const NET = { width: 640, height: 480 };

Deno.test("a picture smaller than the network is shown whole and not enlarged", () => {
  assert.deepEqual(viewsOf({ width: 100, height: 50 }, NET), [
    { region: { x: 0, y: 0, width: 100, height: 50 }, width: 100, height: 50, whole: true },
  ]);
});

Deno.test("a picture is shrunk in proportion to fit the network", () => {
  const [whole, ...tiles] = viewsOf({ width: 1280, height: 480 }, NET);
  assert.deepEqual([whole?.width, whole?.height], [640, 240]);
  assert.deepEqual(tiles, []);
});

Deno.test("tiles of a large picture cover all of it, none shrunk too much", () => {
  for (const picture of [{ width: 4000, height: 3000 }, { width: 9000, height: 100 }]) {
    const [, ...tiles] = viewsOf(picture, NET);
    assert.ok(tiles.length > 1);
    for (const { region, width } of tiles) {
      assert.ok(region.width / width <= MAX_SHRINK + 0.01);
      assert.ok(region.x >= 0 && region.x + region.width <= picture.width);
      assert.ok(region.y >= 0 && region.y + region.height <= picture.height);
    }
    const covers = (x: number, y: number) =>
      tiles.some(({ region: r }) =>
        x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height
      );
    for (let y = 0; y < picture.height; y += 25) {
      for (let x = 0; x < picture.width; x += 25) assert.ok(covers(x, y), `${x}, ${y}`);
    }
  }
});

Deno.test("a small face anywhere in a large picture is seen whole by some tile", () => {
  const picture = { width: 4000, height: 3000 };
  const views = viewsOf(picture, NET);
  const tiles = views.filter((view) => !view.whole);
  const side = 0.19 * NET.height * MAX_SHRINK;
  for (let y = 0; y + side < picture.height; y += 61) {
    for (let x = 0; x + side < picture.width; x += 67) {
      const box = { x, y, width: side, height: side };
      const seen = tiles.some((tile) => {
        const { region: r } = tile;
        return x >= r.x && y >= r.y && x + side <= r.x + r.width && y + side <= r.y + r.height &&
          answersFor(tile, box, picture);
      });
      assert.ok(seen, `${x}, ${y}`);
    }
  }
});

Deno.test("a tile leaves a face that its edge cuts to the neighbour, but not at the picture's edge", () => {
  const picture = { width: 4000, height: 3000 };
  const corner = viewsOf(picture, NET).find(({ whole, region }) =>
    !whole && region.x === 0 && region.y === 0
  );
  assert.ok(corner !== undefined);
  const { width } = corner.region;
  const face = { y: 100, width: 100, height: 100 };
  assert.equal(answersFor(corner, { x: -5, ...face }, picture), true);
  assert.equal(answersFor(corner, { x: width - 300, ...face }, picture), true);
  assert.equal(answersFor(corner, { x: width - 100, ...face }, picture), false);
});
