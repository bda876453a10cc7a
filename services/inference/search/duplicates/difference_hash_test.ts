import { MagickFormat, MagickImage } from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { decode } from "../../picture/decode.ts";
import { differenceHash, hammingDistance, HASH_COLUMNS, HASH_ROWS } from "./difference_hash.ts";

const IMAGES = new URL("../../../../clients/images/", import.meta.url);

async function hashOf(bytes: Uint8Array): Promise<Uint8Array> {
  using picture = await decode(bytes, 50_000_000);
  const { width, height } = picture;
  return differenceHash(
    picture.sample({ x: 0, y: 0, width, height }, HASH_COLUMNS, HASH_ROWS),
  );
}

Deno.test("a bit is 1 where it grows brighter to the right", () => {
  const rgb = new Uint8Array(HASH_ROWS * HASH_COLUMNS * 3);
  // Brighter at column 1 of the first row, and at the last column of the last.
  rgb.set([0, 1, 0], 3);
  rgb.set([0, 0, 9], rgb.length - 3);
  const expected = new Uint8Array(32);
  expected[0] = 0x80;
  expected[31] = 0x01;
  assert.deepEqual(differenceHash(rgb), expected);
  assert.deepEqual(differenceHash(new Uint8Array(rgb.length)), new Uint8Array(32));
});

Deno.test("distance counts the bits that differ", () => {
  assert.equal(hammingDistance(Uint8Array.of(0, 255), Uint8Array.of(0, 255)), 0);
  assert.equal(hammingDistance(Uint8Array.of(0b1010, 255), Uint8Array.of(0b0110, 0)), 10);
});

Deno.test("copies in other sizes and formats are near, other pictures are far", async () => {
  const hashes: Uint8Array[] = [];
  for (const name of ["astronaut.png", "coffee.png", "horse.png", "rocket.jpg"]) {
    const bytes = await Deno.readFile(new URL(name, IMAGES));
    const hash = await hashOf(bytes);
    for (const other of hashes) assert.ok(hammingDistance(hash, other) > 40, name);
    hashes.push(hash);
    for (const [format, scale] of [[MagickFormat.Jpeg, 0.5], [MagickFormat.WebP, 1.7]] as const) {
      const image = MagickImage.create(bytes);
      image.quality = 60;
      image.resize(Math.round(image.width * scale), Math.round(image.height * scale));
      const copy = image.write(format, (written) => written.slice());
      image.dispose();
      const distance = hammingDistance(hash, await hashOf(copy));
      assert.ok(distance <= 10, `${name} as ${format}: ${distance} bits`);
    }
  }
});
