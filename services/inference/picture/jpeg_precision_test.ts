import assert from "node:assert/strict";
import { jpegPrecision } from "./jpeg_precision.ts";

const START = [0xff, 0xd8];
const TABLE = [0xff, 0xc4, 0, 4, 12, 12];
const COMMENT = [0xff, 0xfe, 0, 5, 0xff, 0xc0, 0];
const frame = (kind: number, bits: number) => [0xff, kind, 0, 11, bits, 0, 8, 0, 8, 1, 1, 0x11, 0];

Deno.test("a JPEG's precision is found in any kind of frame, behind other segments", () => {
  for (const kind of [0xc0, 0xc1, 0xc2, 0xc9]) {
    const bytes = new Uint8Array([...START, ...TABLE, ...COMMENT, 0xff, ...frame(kind, 12)]);
    assert.equal(jpegPrecision(bytes), 12);
  }
});

Deno.test("a JPEG without a frame has no precision", () => {
  for (const rest of [[], TABLE, COMMENT, [0xff, 0xfe, 0xff, 0xff], [0xff, 0xff, 0xff]]) {
    assert.equal(jpegPrecision(new Uint8Array([...START, ...rest])), undefined);
  }
});
