import assert from "node:assert/strict";
import { ascii, box, u16, u32 } from "../testing/crafted_picture.ts";
import { heifSize } from "./heif_size.ts";

const size = (width: number, height: number) => box("ispe", u32(0), u32(width), u32(height));
const quarterTurns = (count: number) => box("irot", [count]);
const crop = (width: number, height: number) =>
  box("clap", ...[width, 1, height, 1, 0, 1, 0, 1].map(u32));

/** A HEIC of a tile, item 1, and the whole, item 2, which the properties of these numbers are of. */
function craftHeic(properties: number[][], ofTheWhole: number[]): Uint8Array<ArrayBuffer> {
  const owners = [[...u16(1), 1, 1], [...u16(2), ofTheWhole.length, ...ofTheWhole]];
  return new Uint8Array([
    ...box("ftyp", ascii("heic"), u32(0), ascii("mif1")),
    ...box(
      "meta",
      u32(0),
      box("pitm", u32(0), u16(2)),
      box("iprp", box("ipco", ...properties), box("ipma", u32(0), u32(owners.length), ...owners)),
    ),
  ]);
}

Deno.test("the size of a picture in tiles is that of the whole", () => {
  const bytes = craftHeic([size(512, 512), size(4032, 3024)], [2]);
  assert.deepEqual(heifSize(bytes), { width: 4032, height: 3024 });
});

Deno.test("a quarter turn swaps width and height, and half a turn does not", () => {
  const tiles = [size(512, 512), size(4032, 3024)];
  const portrait = craftHeic([...tiles, quarterTurns(3)], [2, 3]);
  assert.deepEqual(heifSize(portrait), { width: 3024, height: 4032 });
  const headstand = craftHeic([...tiles, quarterTurns(2)], [2, 3]);
  assert.deepEqual(heifSize(headstand), { width: 4032, height: 3024 });
});

Deno.test("a crop holds before the turn that follows it", () => {
  // The highest bit: a reader must understand these properties.
  const bytes = craftHeic([size(90, 60), crop(50, 40), quarterTurns(1)], [1, 0x82, 0x83]);
  assert.deepEqual(heifSize(bytes), { width: 40, height: 50 });
});

Deno.test("a file without the boxes is refused, naming what is missing", () => {
  const bytes = new Uint8Array(box("ftyp", ascii("heic"), u32(0)));
  assert.throws(() => heifSize(bytes), /box "meta" is missing/);
  assert.throws(() => heifSize(craftHeic([quarterTurns(1)], [1])), /box "ispe" is missing/);
});
