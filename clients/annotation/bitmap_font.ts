/**
 * The few characters that stand beside a face, as a bitmap font. So the program needs no font file for
 * a number.
 *
 * @module
 */
import { type Picture, rectangle } from "./picture.ts";

/** Three columns and five rows a character, one empty column between two. */
const CHARACTERS = "0123456789.:";
const ROWS = [
  "### .#. ### ### #.# ### ### ### ### ### ... ...",
  "#.# ##. ..# ..# #.# #.. #.. ..# #.# #.# ... .#.",
  "#.# .#. ### ### ### ### ### ..# ### ### ... ...",
  "#.# .#. #.. ..# ..# ..# #.# ..# #.# ..# ... .#.",
  "### ### ### ### ..# ### ### ..# ### ### .#. ...",
];
const WIDTH = 3;
const STEP = WIDTH + 1;

/** Rows of a line of text, at scale 1. */
export const TEXT_ROWS = ROWS.length;

/** Columns of a text, at scale 1. */
export function textColumns(text: string): number {
  return text.length * STEP - 1;
}

/**
 * Writes a text of digits, dots and colons.
 *
 * @param left of the first character, pixels
 * @param top of all of them, pixels
 * @param scale pixels a column and a row
 * @param colour 0xRRGGBBAA
 */
export function drawText(
  picture: Picture,
  text: string,
  { left, top, scale, colour }: { left: number; top: number; scale: number; colour: number },
): void {
  const dot = rectangle(scale, scale, colour);
  [...text].forEach((character, place) => {
    const glyph = CHARACTERS.indexOf(character) * STEP;
    ROWS.forEach((row, y) => {
      for (let x = 0; x < WIDTH; x++) {
        if (row[glyph + x] !== "#") continue;
        picture.replace(dot, left + (place * STEP + x) * scale, top + y * scale);
      }
    });
  });
}
