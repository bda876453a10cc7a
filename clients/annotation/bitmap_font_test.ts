import assert from "node:assert/strict";
import { drawText, TEXT_ROWS, textColumns } from "./bitmap_font.ts";
import { rectangle } from "./picture.ts";

const DARK = 0x000000ff, BRIGHT = 0xffffffff;

/** What a text looks like at scale 1. */
function drawn(text: string): string[] {
  const picture = rectangle(textColumns(text), TEXT_ROWS, DARK);
  drawText(picture, text, { left: 0, top: 0, scale: 1, colour: BRIGHT });
  const pixels = [...picture.u32].map((pixel) => pixel === 0xffffffff ? "#" : ".");
  return Array.from(
    { length: TEXT_ROWS },
    (_, row) => pixels.slice(row * picture.width, (row + 1) * picture.width).join(""),
  );
}

Deno.test("digits, dots and colons are written as they look, anything else as a gap", () => {
  assert.deepEqual(drawn("1: 7.4"), [
    ".#..........###.....#.#",
    "##...#........#.....#.#",
    ".#............#.....###",
    ".#...#........#.......#",
    "###...........#..#....#",
  ]);
});

Deno.test("letters grow with the scale", () => {
  const picture = rectangle(3 * 4, 5 * 4, DARK);
  drawText(picture, "1", { left: 0, top: 0, scale: 4, colour: BRIGHT });
  const bright = [...picture.u32].filter((pixel) => pixel === 0xffffffff).length;
  assert.equal(bright, 8 * 4 * 4);
});
