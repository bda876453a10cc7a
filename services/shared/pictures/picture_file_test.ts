import { Problem, type ProblemCode } from "@fovea/contract";
import {
  type IMagickImage,
  MagickColor,
  MagickFormat,
  MagickImage,
} from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { kindOfBytes } from "./kinds.ts";
import { MAX_SCANS } from "./limits.ts";
import { loadMagick } from "./magick.ts";
import { decodePicture, type OpenedPicture, openPicture } from "./picture_file.ts";
import { craftTiff } from "./testing/crafted_tiff.ts";
import { craftCr2, craftDng } from "./testing/raw_files.ts";

type Bytes = Uint8Array<ArrayBuffer>;

async function open(bytes: Bytes, maxPixels = 1e6): Promise<OpenedPicture> {
  return await openPicture(bytes, { mimeType: (await kindOfBytes(bytes))?.mime_type, maxPixels });
}

async function refused(work: () => unknown, code: ProblemCode, detail: RegExp): Promise<void> {
  await assert.rejects(async () => await work(), (error) => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, detail);
    return true;
  });
}

async function made(
  format: MagickFormat,
  width: number,
  height: number,
  change: (image: IMagickImage) => void = () => {},
): Promise<Bytes> {
  await loadMagick();
  const image = MagickImage.create(new MagickColor("#c04020"), width, height);
  try {
    change(image);
    return image.write(format, (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

/** A progressive JPEG whose last scan comes so many times more. */
async function manyScans(more: number): Promise<Bytes> {
  const jpeg = await made(MagickFormat.Pjpeg, 64, 48);
  const text = String.fromCharCode(...jpeg);
  const last = text.lastIndexOf("\xff\xda");
  const scan = jpeg.subarray(last, jpeg.length - 2);
  return new Uint8Array([
    ...jpeg.subarray(0, last),
    ...Array.from({ length: more + 1 }, () => [...scan]).flat(),
    ...jpeg.subarray(jpeg.length - 2),
  ]);
}

Deno.test("a JPEG of more scans than anybody writes is refused by its markers alone", async () => {
  assert.equal((await open(await manyScans(0))).width, 64);
  assert.equal((await open(await manyScans(MAX_SCANS - 20))).width, 64);
  await refused(async () => open(await manyScans(500)), "image_too_large", /more than 50 scans/);
});

Deno.test("a raw file without a preview has a size, and can't be decoded", async () => {
  const none = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
  const opened = await open(craftDng({ width: 600, height: 400, preview: none, orientation: 6 }));
  assert.deepEqual([opened.width, opened.height, opened.isPreview], [400, 600, false]);
  await refused(() => decodePicture(opened), "image_unreadable", /raw data without a preview/);
});

Deno.test("a preview of another shape is not taken for the picture", async () => {
  const preview = await made(MagickFormat.Jpeg, 160, 120);
  const opened = await open(craftCr2({ width: 600, height: 400, preview }));
  assert.deepEqual([opened.width, opened.height, opened.isPreview], [600, 400, false]);
});

Deno.test("the limit of pixels holds for the preview that is decoded", async () => {
  const preview = await made(MagickFormat.Jpeg, 150, 100);
  const raw = craftDng({ width: 1500, height: 1000, preview });
  assert.equal((await open(raw, 15_000)).width, 1500);
  await refused(() => open(raw, 14_999), "image_too_large", /150 × 100, 15000 pixels/);
});

Deno.test("a TIFF with a camera's tags and no raw data is a picture like others", async () => {
  const bytes = craftTiff({
    ...{ 256: { longs: [8] }, 257: { longs: [6] }, 258: { shorts: [8] }, 259: { shorts: [1] } },
    ...{ 262: { shorts: [1] }, 273: { bytesAt: new Uint8Array(48).fill(90) } },
    ...{ 277: { shorts: [1] }, 278: { longs: [6] }, 279: { longs: [48] } },
    50341: { text: "PrintIM" },
  });
  const opened = await open(bytes);
  assert.deepEqual([opened.width, opened.height, opened.isPreview], [8, 6, false]);
  decodePicture(opened).image.dispose();
});

Deno.test("of an animation of many frames only the first is decoded", async () => {
  const gif = await made(MagickFormat.Gif, 300, 200);
  const header = 13 + (gif[10]! & 0x80 ? 3 * (2 << (gif[10]! & 7)) : 0);
  const frame = gif.subarray(header, gif.length - 1);
  const many = new Uint8Array(header + 10_000 * frame.length + 1);
  many.set(gif.subarray(0, header));
  for (let i = 0; i < 10_000; i++) many.set(frame, header + i * frame.length);
  many[many.length - 1] = 0x3b;
  const before = performance.now();
  decodePicture(await open(many)).image.dispose();
  // All of them take half a minute.
  assert.ok(performance.now() - before < 5000);
});

Deno.test("a HEIF is known by any of its brands, and a video stays one", async () => {
  const file = (...brands: string[]) => {
    const [major, ...others] = brands;
    const text = `ftyp${major}\0\0\0\0${others.join("")}`;
    const bytes = [0, 0, 0, text.length + 4, ...new TextEncoder().encode(text), ...new Array(64)];
    return new Uint8Array(bytes.map((byte) => byte ?? 0));
  };
  const mime = async (...brands: string[]) => (await kindOfBytes(file(...brands)))?.mime_type;
  assert.equal(await mime("zzzz", "mif1", "heic"), "image/heic");
  assert.equal(await mime("zzzz", "mif1", "avif"), "image/avif");
  assert.equal(await mime("zzzz", "mif1"), "image/heif");
  assert.equal(await mime("isom", "mp42"), "video/mp4");
});
