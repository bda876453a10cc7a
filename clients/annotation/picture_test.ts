import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { orientedJpeg } from "../testing/oriented_jpeg.ts";
import { decodePicture, encodePng, type Picture, rectangle } from "./picture.ts";

const read = (name: string) => Deno.readFile(new URL(`../images/${name}`, import.meta.url));

/** Where the pixel that is shown at (x, y) is stored in a picture of width w and height h. */
type Turn = (x: number, y: number, w: number, h: number) => [x: number, y: number];

const TURNS: Turn[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _w, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _w, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x],
];

function pixel({ u32, width }: Picture, x: number, y: number): number | undefined {
  return u32[x + y * width];
}

Deno.test("a picture is turned as each of the eight EXIF orientations says", async () => {
  const jpeg = await read("rocket.jpg");
  const stored = await decodePicture(jpeg);
  const { width: w, height: h } = stored;
  for (const [place, turn] of TURNS.entries()) {
    const orientation = place + 1;
    const displayed = await decodePicture(orientedJpeg(jpeg, orientation));
    assert.deepEqual([displayed.width, displayed.height], orientation < 5 ? [w, h] : [h, w]);
    for (
      const [x, y] of [[0, 0], [7, 100], [200, 11], [displayed.width - 1, displayed.height - 1]]
    ) {
      assert.equal(
        pixel(displayed, x!, y!),
        pixel(stored, ...turn(x!, y!, w, h)),
        `${orientation}`,
      );
    }
  }
});

Deno.test("a picture comes out of PNG as it went in, opacity and all", async () => {
  const picture = rectangle(3, 2, 0x102030ff);
  picture.replace(rectangle(1, 1, 0xaabbcc80), 2, 1);
  const again = await decodePicture(encodePng(picture).slice());
  assert.deepEqual([again.width, again.height], [3, 2]);
  assert.deepEqual([...again.u8.subarray(0, 4)], [0x10, 0x20, 0x30, 0xff]);
  assert.deepEqual([...again.u8.subarray(-4)], [0xaa, 0xbb, 0xcc, 0x80]);
});

Deno.test("grey pictures are decoded too", async () => {
  const { width, height, u8 } = await decodePicture(await read("camera.png"));
  assert.deepEqual([width, height], [512, 512]);
  assert.ok(u8[0] === u8[1] && u8[1] === u8[2] && u8[3] === 255);
});

Deno.test("what can't be drawn on is refused with its reason", async () => {
  const webp = new TextEncoder().encode("RIFF\x24\0\0\0WEBPVP8 ");
  const cases: [Uint8Array<ArrayBuffer>, string, RegExp][] = [
    [webp, "unsupported_media", /neither a JPEG nor a PNG file.*: convert it/],
    [new Uint8Array(0), "unsupported_media", /neither a JPEG nor a PNG/],
    [(await read("rocket.jpg")).slice(0, 300), "image_unreadable", /^it can't be decoded: /],
    [(await read("horse.png")).slice(0, 300), "image_unreadable", /^it can't be decoded: /],
  ];
  for (const [bytes, code, message] of cases) {
    await assert.rejects(decodePicture(bytes), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
});
