import assert from "node:assert/strict";
import { TEXT_ROWS, textColumns, write } from "./lettering.ts";
import { rectangle } from "./picture.ts";

const DARK = 0x000000ff, BRIGHT = 0xffffffff;

/** What a text looks like at scale 1. */
function lettered(text: string): string[] {
  const picture = rectangle(textColumns(text), TEXT_ROWS, DARK);
  write(picture, text, { left: 0, top: 0, scale: 1, colour: BRIGHT });
  const pixels = [...picture.u32].map((pixel) => pixel === 0xffffffff ? "#" : ".");
  return Array.from(
    { length: TEXT_ROWS },
    (_, row) => pixels.slice(row * picture.width, (row + 1) * picture.width).join(""),
  );
}

Deno.test("digits, dots and colons are written as they look, anything else as a gap", () => {
  assert.deepEqual(lettered("1: 7.4"), [
    ".#..........###.....#.#",
    "##...#........#.....#.#",
    ".#............#.....###",
    ".#...#........#.......#",
    "###...........#..#....#",
  ]);
});

Deno.test("letters grow with the scale", () => {
  const picture = rectangle(3 * 4, 5 * 4, DARK);
  write(picture, "1", { left: 0, top: 0, scale: 4, colour: BRIGHT });
  const bright = [...picture.u32].filter((pixel) => pixel === 0xffffffff).length;
  assert.equal(bright, 8 * 4 * 4);
});
