import { Problem, type ProblemCode } from "@fovea/contract";
import { MagickFormat, NoiseType } from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import {
  craftBomb,
  craftExif,
  craftGif,
  craftLoopingTiff,
  craftPng,
  pngChunk,
  withSegment,
} from "../testing/crafted_files.ts";
import { decode } from "./decode.ts";
import { file } from "../testing/made_files.ts";

const MAX_PIXELS = 50_000_000;
const IMAGES = new URL("../../../clients/images/", import.meta.url);
const png = await Deno.readFile(new URL("astronaut.png", IMAGES));
const jpeg = await Deno.readFile(new URL("rocket.jpg", IMAGES));

/** Each picture that is refused must leave a decoder that serves the next one. */
async function refused(bytes: Uint8Array, code: ProblemCode, detail: RegExp): Promise<void> {
  await assert.rejects(decode(bytes, MAX_PIXELS), (error) => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, detail);
    return true;
  });
  assert.deepEqual(await size(jpeg), [640, 427]);
}

async function size(bytes: Uint8Array): Promise<[width: number, height: number]> {
  using picture = await decode(bytes, MAX_PIXELS);
  return [picture.width, picture.height];
}

Deno.test("what is no picture is refused by what it is", async () => {
  const text = (content: string) => new TextEncoder().encode(content);
  await refused(text("hello, I am no picture"), "image_unreadable", /no known type/);
  await refused(text("%PDF-1.7\n…"), "image_unreadable", /application\/pdf/);
  await refused(new Uint8Array(), "image_unreadable", /no known type/);
});

Deno.test("an SVG is not run through a renderer", async () => {
  const svg = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`;
  await refused(new TextEncoder().encode(svg), "image_unreadable", /xml|svg/);
});

Deno.test("a picture that is cut off is refused, wherever it is cut", async () => {
  const progressive = await file(MagickFormat.Pjpeg, 320, 200, "#c04020", (image) => {
    image.addNoise(NoiseType.Gaussian);
  });
  const webp = await file(
    MagickFormat.WebP,
    320,
    200,
    "#c04020",
    (image) => image.addNoise(NoiseType.Gaussian),
  );
  for (const whole of [jpeg, progressive, png, webp]) {
    for (let tenth = 1; tenth < 10; tenth++) {
      const cut = whole.subarray(0, Math.floor(whole.length * tenth / 10));
      await refused(cut, "image_truncated", /ends too early/);
    }
  }
});

Deno.test("a picture whose checksum is wrong is refused", async () => {
  const damaged = png.slice();
  damaged[5000]! ^= 0xff;
  await refused(damaged, "image_unreadable", /a checksum in the file is wrong/);
  const header = png.slice();
  header[29]! ^= 0xff;
  await refused(header, "image_unreadable", /a checksum in the file is wrong/);
});

Deno.test("a wrong checksum of a comment is no reason to refuse a picture", async () => {
  const comment = pngChunk("tEXt", new TextEncoder().encode("a\0b"));
  comment[comment.length - 1]! ^= 0xff;
  const commented = craftPng({ width: 32, height: 32, pixel: [1, 2, 3], chunks: [comment] });
  assert.deepEqual(await size(commented), [32, 32]);
});

Deno.test("a picture with too many pixels is refused before it is decoded", async () => {
  const bomb = await craftBomb(14_000, 14_000);
  assert.ok(bomb.length < 600_000, `${bomb.length} bytes`);
  await refused(bomb, "image_too_large", /14000 × 14000, 196000000 pixels: at most 50000000/);

  const canvas = { width: 60_000, height: 60_000 };
  await refused(craftGif(canvas, { x: 0, y: 0 }), "image_too_large", /60000 × 60000/);
  await refused(craftGif(canvas, { x: 0, y: 0, ...canvas }), "image_too_large", /60000 × 60000/);
});

Deno.test("an animation is measured by its canvas, wherever its frame lies", async () => {
  assert.deepEqual(await size(craftGif({ width: 20, height: 16 }, { x: 12, y: 8 })), [20, 16]);
  const outside = craftGif({ width: 20, height: 16 }, { x: 59_000, y: 59_000 });
  await refused(outside, "image_too_large", /59008 × 59008/);
});

Deno.test("a TIFF whose directory points to itself has one page, if it has what a page needs", async () => {
  await refused(craftLoopingTiff([[330, 8]]), "image_unreadable", /can't be decoded/);
  // Width, height, bits, compression, black is 0, where and how many the pixels are.
  const page: [number, number][] = [[256, 16], [257, 16], [258, 8], [259, 1], [262, 1]];
  const entries: [number, number][] = [...page, [273, 10 + 8 * 12 + 4], [278, 16], [279, 256]];
  assert.deepEqual(await size(craftLoopingTiff(entries, 256)), [16, 16]);
});

Deno.test("a JPEG of 12 bits a sample is refused by name", async () => {
  const deep = jpeg.slice();
  const frame = deep.findIndex((byte, at) => byte === 0xff && deep[at + 1] === 0xc0);
  deep[frame + 4] = 12;
  await refused(deep, "image_unreadable", /JPEG of 12 bits a sample: only 8/);
});

Deno.test("an EXIF block that lies changes nothing", async () => {
  const lies = [
    // An orientation that there isn't, and a size that isn't the picture's.
    craftExif([[0x0112, 3, 1, 99], [0xa002, 4, 1, 99_999]]),
    // A directory that points to itself, one of 65,535 entries, one beyond the end.
    craftExif([[0x8769, 4, 1, 8]], { next: 8 }),
    craftExif([[0xa002, 4, 1, 7]], { claims: 65_535 }),
    craftExif([[0x8769, 4, 1, 0x7fff_ffff]], { next: 0x7fff_ffff }),
    // A value of four billion parts.
    craftExif([[0x9003, 2, 0xffff_ffff, 8]]),
  ];
  for (const exif of lies) assert.deepEqual(await size(withSegment(jpeg, 0xe1, exif)), [640, 427]);
});

Deno.test("a picture of nothing is refused, and so is one too thin to see", async () => {
  for (const [width, height] of [[1, 1], [1, 10_000], [10_000, 1]] as const) {
    const thin = craftPng({ width, height, pixel: [255, 255, 255] });
    const detail = new RegExp(`picture is ${width} × ${height} pixels: at least 8 × 8`);
    await refused(thin, "image_too_small", detail);
  }
  const none = craftPng({ width: 0, height: 8, pixel: [] });
  await refused(none, "image_unreadable", /can't be decoded/);
});
