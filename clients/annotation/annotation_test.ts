import type { Face } from "@fovea/contract";
import assert from "node:assert/strict";
import { annotate, BOX_COLOUR, LANDMARK_COLOUR } from "./annotation.ts";
import { type Picture, rectangle } from "./picture.ts";

const WHITE = 0xffffffff, BLACK = 0x000000ff;

function face(x: number, y: number, size: number): Face {
  const bbox = { x, y, width: size, height: size };
  return { face_index: 0, bbox, landmarks: null, confidence: 0.934 };
}

/** 0xRRGGBBAA. */
function colourAt({ u8, width }: Picture, x: number, y: number): number {
  return new DataView(u8.buffer, u8.byteOffset).getUint32(4 * (x + y * width));
}

Deno.test("the box stands on the face's edges, on pictures dark and bright", () => {
  for (const ground of [WHITE, BLACK]) {
    const picture = rectangle(600, 400, ground);
    annotate(picture, [face(100.4, 120.6, 80)]);
    // From 100 to 180 and from 121 to 201: the first are inside, the last are not.
    for (const [x, y] of [[100, 150], [179, 150], [140, 121], [140, 200], [100, 121], [179, 200]]) {
      assert.equal(colourAt(picture, x!, y!), BOX_COLOUR, `${x}, ${y}`);
    }
    for (const [x, y] of [[99, 150], [180, 150], [140, 201]]) {
      assert.equal(colourAt(picture, x!, y!), BLACK, `no outline at ${x}, ${y}`);
    }
    for (const [x, y] of [[140, 160], [0, 0], [599, 399], [140, 210], [190, 160]]) {
      assert.equal(colourAt(picture, x!, y!), ground, `touched at ${x}, ${y}`);
    }
  }
});

Deno.test("landmarks are dots with a dark rim", () => {
  const picture = rectangle(600, 400, WHITE);
  annotate(picture, [{ ...face(100, 100, 100), landmarks: [[130.2, 140.3], [170, 140]] }]);
  assert.equal(colourAt(picture, 130, 140), LANDMARK_COLOUR);
  assert.equal(colourAt(picture, 170, 140), LANDMARK_COLOUR);
  assert.equal(colourAt(picture, 173, 140), BLACK);
  assert.equal(colourAt(picture, 174, 140), WHITE);
});

Deno.test("lines grow with the picture, but not beyond what a small face bears", () => {
  const thickness = (picture: Picture, x: number, y: number) => {
    let columns = 0;
    while (colourAt(picture, x + columns, y) === BOX_COLOUR) columns++;
    return columns;
  };
  const picture = rectangle(3000, 2400, WHITE);
  annotate(picture, [face(200, 200, 800), face(2000, 1000, 40)]);
  assert.equal(thickness(picture, 200, 600), 8);
  assert.equal(thickness(picture, 2000, 1020), 2);
});

Deno.test("a label stands above the box, or inside where there is no room, always in the picture", () => {
  const labelled = (picture: Picture, left: number, top: number) => {
    let pixels = 0;
    for (let y = top; y < top + 16; y++) {
      for (let x = left; x < left + 60; x++) pixels += +(colourAt(picture, x, y) === BOX_COLOUR);
    }
    return pixels;
  };
  const above = rectangle(400, 400, WHITE);
  annotate(above, [face(200, 200, 100)]);
  assert.ok(labelled(above, 200, 183) > 100);

  const corner = rectangle(400, 400, WHITE);
  annotate(corner, [face(330, 0, 70)]);
  assert.ok(labelled(corner, 335, 3) > 100);
});

Deno.test("a face that fills the picture leaves its size alone", () => {
  const picture = rectangle(50, 40, WHITE);
  annotate(picture, [{ ...face(0, 0, 40), bbox: { x: 0, y: 0, width: 50, height: 40 } }]);
  assert.deepEqual([picture.width, picture.height, picture.u8.length], [50, 40, 8000]);
  assert.equal(colourAt(picture, 49, 39), BOX_COLOUR);
});
