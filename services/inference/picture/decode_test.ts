import { Problem, type ProblemCode } from "@fovea/contract";
import {
  ColorSpace,
  type IMagickImage,
  MagickColor,
  MagickFormat,
  MagickImage,
  Orientation,
} from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { decode } from "./decode.ts";

const MAX_PIXELS = 50_000_000;
const IMAGES = new URL("../../../clients/images/", import.meta.url);
const png = await Deno.readFile(new URL("astronaut.png", IMAGES));
const jpeg = await Deno.readFile(new URL("rocket.jpg", IMAGES));
// Readies ImageMagick, which the tests use to make pictures, too.
(await decode(png, MAX_PIXELS))[Symbol.dispose]();

/** A picture in one colour, as a file. */
function file(
  format: MagickFormat,
  width: number,
  height: number,
  colour: string,
  change: (image: IMagickImage) => void = () => {},
): Uint8Array {
  const image = MagickImage.create(new MagickColor(colour), width, height);
  try {
    change(image);
    return image.write(format, (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

async function refused(bytes: Uint8Array, code: ProblemCode, detail: RegExp): Promise<void> {
  await assert.rejects(decode(bytes, MAX_PIXELS), (error) => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, detail);
    return true;
  });
}

/** The colour in the middle, and the size. */
async function look(bytes: Uint8Array): Promise<{ rgb: number[]; size: [number, number] }> {
  using picture = await decode(bytes, MAX_PIXELS);
  const { width, height } = picture;
  const middle = { x: width >> 1, y: height >> 1, width: 1, height: 1 };
  return { rgb: [...picture.sample(middle, 1, 1)], size: [width, height] };
}

const near = (got: number[], wanted: number[]) =>
  assert.ok(
    got.every((value, i) => Math.abs(value - wanted[i]!) <= 6),
    `${got} is not about ${wanted}`,
  );

for (
  const format of [
    MagickFormat.Jpeg,
    MagickFormat.Png,
    MagickFormat.WebP,
    MagickFormat.Gif,
    MagickFormat.Tiff,
    MagickFormat.Bmp,
    MagickFormat.Avif,
  ]
) {
  Deno.test(`${format} is decoded`, async () => {
    const { rgb, size } = await look(file(format, 64, 48, "#c04020"));
    assert.deepEqual(size, [64, 48]);
    near(rgb, [0xc0, 0x40, 0x20]);
  });
}

Deno.test("grey and CMYK pictures become RGB", async () => {
  const grey = file(MagickFormat.Jpeg, 32, 32, "#808080", (image) => {
    image.colorSpace = ColorSpace.Gray;
  });
  near((await look(grey)).rgb, [128, 128, 128]);
  const cmyk = file(MagickFormat.Jpeg, 32, 32, "#c04020", (image) => {
    image.colorSpace = ColorSpace.CMYK;
  });
  near((await look(cmyk)).rgb, [0xc0, 0x40, 0x20]);
});

Deno.test("what is transparent is white", async () => {
  near((await look(file(MagickFormat.Png, 32, 32, "#ff000000"))).rgb, [255, 255, 255]);
});

Deno.test("a picture is turned as its EXIF orientation says", async () => {
  const turned = file(MagickFormat.Jpeg, 64, 32, "#ffffff", (image) => {
    // Red on the left as stored: at the top once turned by 90° to the right.
    for (let x = 0; x < 16; x++) {
      for (let y = 0; y < 32; y++) {
        image.getPixels((pixels) => pixels.setPixel(x, y, [255, 0, 0]));
      }
    }
    image.orientation = Orientation.RightTop;
    image.setProfile("exif", exifOrientation(6));
  });
  using picture = await decode(turned, MAX_PIXELS);
  assert.deepEqual([picture.width, picture.height], [32, 64]);
  near([...picture.sample({ x: 16, y: 4, width: 1, height: 1 }, 1, 1)], [255, 0, 0]);
  near([...picture.sample({ x: 16, y: 50, width: 1, height: 1 }, 1, 1)], [255, 255, 255]);
});

Deno.test("a region is cut and scaled", async () => {
  using picture = await decode(png, MAX_PIXELS);
  assert.deepEqual([picture.width, picture.height], [512, 512]);
  const rgb = picture.sample({ x: 100, y: 50, width: 300, height: 200 }, 30, 20);
  assert.equal(rgb.length, 30 * 20 * 3);
});

Deno.test("what is no picture is refused by what it is", async () => {
  await refused(
    new TextEncoder().encode("hello, I am no picture"),
    "image_unreadable",
    /no known type/,
  );
  await refused(new TextEncoder().encode("%PDF-1.7\n…"), "image_unreadable", /application\/pdf/);
  await refused(new Uint8Array(), "image_unreadable", /no known type/);
});

Deno.test("an SVG is not run through a renderer", async () => {
  const svg = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`;
  await refused(new TextEncoder().encode(svg), "image_unreadable", /xml|svg/);
});

Deno.test("a picture that is cut off is refused, wherever it is cut", async () => {
  for (let tenth = 1; tenth < 10; tenth++) {
    const cut = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length * tenth / 10));
    await refused(cut(jpeg), "image_truncated", /ends too early/);
    await refused(cut(png), "image_truncated", /ends too early/);
  }
});

Deno.test("a picture whose checksum is wrong is refused", async () => {
  const damaged = png.slice();
  damaged[5000]! ^= 0xff;
  await refused(damaged, "image_unreadable", /CRC/);
});

Deno.test("a picture with too many pixels is refused by its header alone", async () => {
  // Its pixels are those of a small picture: decoding it would end in "cut off".
  const bomb = png.slice();
  const view = new DataView(bomb.buffer);
  view.setUint32(16, 14_000);
  view.setUint32(20, 14_000);
  view.setUint32(29, crc32(bomb.subarray(12, 29)));
  await refused(bomb, "image_too_large", /14000 × 14000, 196000000 pixels: at most 50000000/);
});

Deno.test("a picture of nothing is refused", async () => {
  await refused(
    file(MagickFormat.Png, 1, 1, "#fff"),
    "image_too_small",
    /1 × 1 pixels: at least 8/,
  );
  await refused(file(MagickFormat.Png, 1, 900, "#fff"), "image_too_small", /1 × 900/);
  const zero = png.slice();
  new DataView(zero.buffer).setUint32(16, 0);
  new DataView(zero.buffer).setUint32(29, crc32(zero.subarray(12, 29)));
  await refused(zero, "image_unreadable", /can't be decoded/);
});

Deno.test("after all of these the next picture is decoded", async () => {
  assert.deepEqual((await look(jpeg)).size, [640, 427]);
});

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** An EXIF block with nothing but an orientation, big-endian. */
function exifOrientation(value: number): Uint8Array {
  const text = new TextEncoder().encode("Exif\0\0MM");
  return new Uint8Array([
    ...text,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    1,
    0x12,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    value,
    0,
    0,
    0,
    0,
    0,
    0,
  ]);
}
