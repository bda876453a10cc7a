import assert from "node:assert/strict";
import {
  ascii,
  craftExif,
  craftJpeg,
  craftPng,
  craftTiffDirectories,
  craftTiffHeader,
  u32,
} from "../testing/crafted_picture.ts";
import { makePicture } from "../testing/made_pictures.ts";
import { readPictureMetadata } from "./picture_metadata.ts";

const MAX_PIXELS = 50_000_000;
const MB = 1_000_000;
const taken = "2026:02:03 04:05:06";
const rest = {
  create_date: Date.UTC(2026, 1, 3, 4, 5, 6),
  create_offset_minutes: null,
  shown_by_preview: false,
};

/** Reads the metadata of a file that has these bytes at these places, and zeros elsewhere. */
async function metadataOf(size: number, mimeType: string, pieces: [at: number, bytes: number[]][]) {
  const file = new Uint8Array(size);
  for (const [at, bytes] of pieces) file.set(bytes, at);
  return await readPictureMetadata(file, mimeType, MAX_PIXELS);
}

Deno.test("the directory of a large TIFF is found wherever it is", async () => {
  const header = { width: 30, height: 20, orientation: 6, taken };
  for (const at of [8, 20 * MB, 60 * MB - 500]) {
    const pieces: [number, number[]][] = [
      [0, craftTiffHeader(at)],
      [at, craftTiffDirectories(header, at)],
    ];
    assert.deepEqual(
      await metadataOf(60 * MB, "image/tiff", pieces),
      { width: 20, height: 30, ...rest },
      `at ${at}`,
    );
  }
});

Deno.test("the EXIF block behind the pixels of a large WebP is found", async () => {
  const little = (value: number) => u32(value).reverse();
  const exif = [...craftExif({ orientation: 6, taken })];
  const size = 20 * MB;
  const canvas = [...ascii("VP8X"), ...little(10), 8, 0, 0, 0, ...[29, 0, 0], ...[19, 0, 0]];
  const pixels = [...makePicture("WebP", { width: 30, height: 20 }).subarray(12)];
  const unknown = [
    ...ascii("JUNK"),
    ...little(size - 12 - canvas.length - pixels.length - 8 - exif.length - 8),
  ];
  const metadata = await metadataOf(size, "image/webp", [
    [0, [
      ...ascii("RIFF"),
      ...little(size - 8),
      ...ascii("WEBP"),
      ...canvas,
      ...pixels,
      ...unknown,
    ]],
    [size - exif.length - 8, [...ascii("EXIF"), ...little(exif.length), ...exif]],
  ]);
  assert.deepEqual(metadata, { width: 20, height: 30, ...rest });
});

Deno.test("a large JPEG and PNG are read from their beginning", async () => {
  const jpeg = [...craftJpeg(30, 20, { orientation: 6, taken })];
  assert.deepEqual(
    await metadataOf(60 * MB, "image/jpeg", [[0, jpeg]]),
    { width: 20, height: 30, ...rest },
  );
  const png = await metadataOf(60 * MB, "image/png", [[0, [...craftPng(30, 20)]]]);
  assert.deepEqual([png.width, png.height], [30, 20]);
});
