import { displayProfile } from "@fovea/pictures/icc_profile";
import {
  ColorSpace,
  type IMagickImage,
  MagickFormat,
  type Orientation,
} from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import {
  craftExif,
  craftGif,
  craftPng,
  iccChunk,
  iccSegment,
  withSegment,
} from "../testing/crafted_files.ts";
import { decode, type MinSize } from "./decode.ts";
import { file, quarters } from "../testing/made_files.ts";

const MAX_PIXELS = 50_000_000;
const IMAGES = new URL("../../../clients/images/", import.meta.url);
const GOLDEN = new URL("../golden/", import.meta.url);

/** The colour in the middle, and the size. */
async function look(bytes: Uint8Array): Promise<{ rgb: number[]; size: [number, number] }> {
  using picture = await decode(bytes, MAX_PIXELS);
  const { width, height } = picture;
  const middle = { x: width >> 1, y: height >> 1, width: 1, height: 1 };
  return { rgb: [...picture.sample(middle, 1, 1)], size: [width, height] };
}

const near = (got: number[], wanted: number[], by = 6) =>
  assert.ok(
    got.every((value, i) => Math.abs(value - wanted[i]!) <= by),
    `${got} is not about ${wanted}`,
  );

for (
  const format of [
    MagickFormat.Jpeg,
    MagickFormat.Pjpeg,
    MagickFormat.Png,
    MagickFormat.Png8,
    MagickFormat.WebP,
    MagickFormat.Gif,
    MagickFormat.Tiff,
    MagickFormat.Bmp,
    MagickFormat.Avif,
  ]
) {
  Deno.test(`${format} is decoded`, async () => {
    const { rgb, size } = await look(await file(format, 64, 48, "#c04020"));
    assert.deepEqual(size, [64, 48]);
    near(rgb, [0xc0, 0x40, 0x20]);
  });
}

Deno.test("HEIC is decoded", async () => {
  // Made by heif-enc of Debian's libheif-examples: nothing else at hand writes HEIC.
  const { rgb, size } = await look(await Deno.readFile(new URL("decode_flat.heic", GOLDEN)));
  assert.deepEqual(size, [64, 48]);
  near(rgb, [0xc0, 0x40, 0x20]);
});

Deno.test("a PNG of 16 bits a sample is decoded", async () => {
  const pixel = [0xc055, 0x4011, 0x2099];
  const { rgb } = await look(craftPng({ width: 32, height: 32, depth: 16, pixel }));
  near(rgb, [0xc0, 0x40, 0x20], 1);
});

Deno.test("grey pictures become RGB", async () => {
  const grey = await file(MagickFormat.Jpeg, 32, 32, "#808080", (image) => {
    image.colorSpace = ColorSpace.Gray;
  });
  near((await look(grey)).rgb, [128, 128, 128]);
});

Deno.test("CMYK becomes RGB, inverted as Adobe writes it", async () => {
  const ink = await file(MagickFormat.Jpeg, 32, 32, "#c04020", (image) => {
    image.colorSpace = ColorSpace.CMYK;
  });
  assert.ok(new TextDecoder("latin1").decode(ink).includes("Adobe"));
  near((await look(ink)).rgb, [0xc0, 0x40, 0x20]);
});

Deno.test("what is transparent is white, and what is half so is half white", async () => {
  const size = { width: 32, height: 32 };
  const gone = craftPng({ ...size, colour: "rgba", pixel: [255, 0, 0, 0] });
  near((await look(gone)).rgb, [255, 255, 255], 1);
  const half = craftPng({ ...size, colour: "greyAlpha", pixel: [64, 128] });
  near((await look(half)).rgb, [159, 159, 159], 1);
});

Deno.test("a GIF's first frame is shown where it lies on its canvas", async () => {
  using picture = await decode(craftGif({ width: 20, height: 16 }, { x: 10, y: 6 }), MAX_PIXELS);
  assert.deepEqual([picture.width, picture.height], [20, 16]);
  const at = (x: number, y: number) => [
    ...picture.sample({ x, y, width: 1, height: 1 }, 1, 1),
  ];
  assert.deepEqual(at(14, 10), [255, 0, 0]);
  assert.deepEqual(at(4, 4), [255, 255, 255]);
});

/** Corners of {@link quarters} as displayed, row by row, for each of EXIF's orientations. */
const TURNED = ["RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"];
const COLOURS = { R: [255, 0, 0], G: [0, 255, 0], B: [0, 0, 255], W: [255, 255, 255] };

async function seesTurned(orientation: number, side: number, minSize?: MinSize): Promise<void> {
  const stored = await quarters(2 * side, side, (image) => {
    image.orientation = orientation as Orientation;
    image.setProfile("exif", craftExif([[0x0112, 3, 1, orientation]]));
  });
  using picture = await decode(stored, MAX_PIXELS, minSize);
  const upright = orientation < 5 ? [2 * side, side] : [side, 2 * side];
  assert.deepEqual([picture.width, picture.height], upright);
  [...TURNED[orientation - 1]!].forEach((corner, i) => {
    const half = { width: picture.width / 2, height: picture.height / 2 };
    const region = { x: i % 2 * half.width, y: Math.floor(i / 2) * half.height, ...half };
    // A quarter seen at 4 × 4: its middle.
    const rgb = picture.sample(region, 4, 4).subarray(15, 18);
    near([...rgb], COLOURS[corner as keyof typeof COLOURS], 12);
  });
}

for (const orientation of TURNED.keys()) {
  Deno.test(`a picture of EXIF orientation ${orientation + 1} is turned upright`, async () => {
    await seesTurned(orientation + 1, 64);
  });
}

Deno.test("a JPEG that was shrunk while decoded keeps its size, turned or not", async () => {
  for (const orientation of [1, 3, 6]) await seesTurned(orientation, 900, { side: 100 });
});

Deno.test("a JPEG is shrunk only on demand, and never below what is enough", async () => {
  // Black and white by turns: grey as soon as pixels are put together.
  const stripes = await file(MagickFormat.Jpeg, 512, 512, "#000000", (image) => {
    const column = new Uint8Array(3 * 512).fill(255);
    image.getPixels((pixels) => {
      for (let x = 0; x < 512; x += 2) pixels.setArea(x, 0, 1, 512, column);
    });
  });
  const contrast = async (minSize?: MinSize) => {
    using picture = await decode(stripes, MAX_PIXELS, minSize);
    const [white, , , black] = picture.sample({ x: 256, y: 256, width: 2, height: 1 }, 2, 1);
    return white! - black!;
  };
  assert.ok(await contrast() > 200);
  assert.ok(await contrast({ side: 257 }) > 200);
  assert.ok(await contrast({ side: 256 }) < 50);
});

/** Display P3's primaries, adapted to D50 (Apple's profile has the same). */
const P3 = displayProfile({
  red: [0.51512, 0.2412, -0.00105],
  green: [0.29198, 0.69225, 0.04189],
  blue: [0.1571, 0.06657, 0.78407],
});
/** sRGB's pure red, as Display P3 writes it. */
const P3_RED = [234, 51, 35];

Deno.test("an embedded profile's colours become sRGB's", async () => {
  const size = { width: 32, height: 32, pixel: P3_RED };
  near((await look(craftPng(size))).rgb, P3_RED, 1);
  near((await look(craftPng({ ...size, chunks: [iccChunk(P3)] }))).rgb, [255, 0, 0], 2);
  const embed = (image: IMagickImage) => image.setProfile("icc", P3);
  for (const format of [MagickFormat.Jpeg, MagickFormat.WebP, MagickFormat.Tiff]) {
    near((await look(await file(format, 32, 32, "rgb(234,51,35)", embed))).rgb, [255, 0, 0], 4);
  }
});

Deno.test("a profile that can't be used is left aside", async () => {
  const forInk = P3.slice();
  forInk.set(new TextEncoder().encode("CMYK"), 16);
  const endless = P3.slice();
  new DataView(endless.buffer).setUint32(128, 0xffff_ffff);
  const jpeg = await file(MagickFormat.Jpeg, 32, 32, "rgb(234,51,35)");
  for (const profile of [forInk, endless, P3.subarray(0, 200), new Uint8Array(400).fill(0x6a)]) {
    near((await look(withSegment(jpeg, 0xe2, iccSegment(profile)))).rgb, P3_RED, 4);
  }
  near((await look(withSegment(jpeg, 0xe2, iccSegment(P3)))).rgb, [255, 0, 0], 4);
});

Deno.test("a profile of 20 MB does not stop a picture from being decoded", async () => {
  const large = new Uint8Array(20_000_000);
  large.set(P3);
  new DataView(large.buffer).setUint32(0, large.length);
  const png = craftPng({ width: 32, height: 32, pixel: P3_RED, chunks: [iccChunk(large)] });
  assert.deepEqual((await look(png)).size, [32, 32]);
  const tiff = await file(MagickFormat.Tiff, 32, 32, "rgb(234,51,35)", (image) => {
    image.setProfile("icc", large);
  });
  assert.ok(tiff.length > large.length);
  near((await look(tiff)).rgb, [255, 0, 0], 4);
});

Deno.test("a region is cut and scaled", async () => {
  using picture = await decode(
    await Deno.readFile(new URL("astronaut.png", IMAGES)),
    MAX_PIXELS,
  );
  assert.deepEqual([picture.width, picture.height], [512, 512]);
  const rgb = picture.sample({ x: 100, y: 50, width: 300, height: 200 }, 30, 20);
  assert.equal(rgb.length, 30 * 20 * 3);
});
