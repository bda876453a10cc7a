import type { EmbeddingResult } from "@fovea/contract";
import { testModel } from "@fovea/testing/models";
import { FilterType, MagickFormat, MagickImage } from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { decode, type MinSize } from "../picture/decode.ts";
import { file } from "../testing/made_files.ts";
import { clipInput, DEVIATION, imageEmbedding, MEAN } from "./image_embedding.ts";

const MAX_PIXELS = 50_000_000;
const IMAGES = new URL("../../../clients/images/", import.meta.url);
const GOLDEN = new URL("../golden/clip/", import.meta.url);
const task = await imageEmbedding.load(await testModel("image_embedding", "fixture"));

async function embed(bytes: Uint8Array, minSize?: MinSize): Promise<EmbeddingResult> {
  using picture = await decode(bytes, MAX_PIXELS, minSize);
  return await task.prepare(picture, 42, {})() as EmbeddingResult;
}
const embedFile = async (name: string) => embed(await Deno.readFile(new URL(name, IMAGES)));

Deno.test("an embedding is 512 finite numbers of length 1, stored as the entity's point", async () => {
  const { embedding, ...rest } = await embedFile("astronaut.png");
  assert.equal(embedding.length, 512);
  assert.ok(embedding.every(Number.isFinite));
  const norm = Math.hypot(...embedding);
  assert.ok(Math.abs(norm - 1) < 1e-6, `length ${norm}`);
  assert.deepEqual(rest, {
    embedding_dimension: 512,
    stored_in_vector_db: true,
    collection: "image_embeddings",
    point_id: 42,
  });
});

Deno.test("the same picture gives the same numbers, bit for bit, another one others", async () => {
  const first = (await embedFile("coffee.png")).embedding;
  const other = (await embedFile("horse.png")).embedding;
  assert.deepEqual((await embedFile("coffee.png")).embedding, first);
  assert.notDeepEqual(other, first);
});

const pictures = [IMAGES, new URL("pictures/", GOLDEN)]
  .flatMap((folder) => [...Deno.readDirSync(folder)].map(({ name }) => new URL(name, folder)))
  .filter(({ pathname }) => /\.(png|jpg)$/.test(pathname));

for (const url of pictures) {
  const name = url.pathname.split("/").at(-1)!;
  Deno.test(`what the network sees of ${name} agrees with Pillow's bicubic`, async () => {
    using picture = await decode(await Deno.readFile(url), MAX_PIXELS);
    const seen = clipInput(picture);
    const golden = new URL(`expected/${name.replace(/\.\w+$/, ".png")}`, GOLDEN);
    using expected = await decode(await Deno.readFile(golden), MAX_PIXELS);
    const { width, height } = expected;
    assert.deepEqual([width, height], [224, 224]);
    const wanted = expected.sample({ x: 0, y: 0, width, height }, width, height);

    const plane = width * height;
    assert.equal(seen.length, 3 * plane);
    let sum = 0;
    let most = 0;
    for (let i = 0; i < seen.length; i++) {
      const channel = Math.floor(i / plane);
      const value = seen[i]! * DEVIATION[channel]! + MEAN[channel]!;
      const off = Math.abs(value * 255 - wanted[i % plane * 3 + channel]!);
      sum += off;
      most = Math.max(most, off);
    }
    assert.ok(sum / seen.length <= 1, `mean difference ${sum / seen.length} of 255`);
    assert.ok(most <= 4, `largest difference ${most} of 255`);
  });
}

/** A JPEG of about 12 million pixels. */
async function enlarged(url: URL): Promise<Uint8Array> {
  const image = MagickImage.create(await Deno.readFile(url));
  const times = Math.sqrt(12e6 / (image.width * image.height));
  image.resize(image.width * times, image.height * times, FilterType.Triangle);
  const jpeg = image.write(MagickFormat.Jpeg, (bytes) => bytes.slice());
  image.dispose();
  return jpeg;
}

/** A JPEG of 4000 × 3000 pixels, full of small pictures: sharp down to its last pixel. */
async function mosaic(urls: URL[]): Promise<Uint8Array> {
  const side = 125;
  const tiles = await Promise.all(urls.map(async (url) => {
    using picture = await decode(await Deno.readFile(url), MAX_PIXELS);
    return picture.sample({ x: 0, y: 0, width: picture.width, height: picture.height }, side, side);
  }));
  return await file(MagickFormat.Jpeg, 4000, 3000, "#000000", (image) => {
    image.getPixels((pixels) => {
      for (let i = 0; i < 32 * 24; i++) {
        pixels.setArea(
          i % 32 * side,
          Math.floor(i / 32) * side,
          side,
          side,
          tiles[i % tiles.length]!,
        );
      }
    });
  });
}

async function staysTheSame(bytes: Uint8Array): Promise<void> {
  assert.ok(task.minSize !== undefined);
  const full = (await embed(bytes)).embedding;
  const shrunk = (await embed(bytes, task.minSize)).embedding;
  assert.notDeepEqual(shrunk, full, "nothing was shrunk");
  const cosine = full.reduce((sum, value, i) => sum + value * shrunk[i]!, 0);
  assert.ok(cosine >= 0.999, `cosine ${cosine}`);
}

for (const url of pictures.filter(({ pathname }) => pathname.startsWith(IMAGES.pathname))) {
  const name = url.pathname.split("/").at(-1)!;
  Deno.test(`shrinking a large JPEG of ${name} while decoding leaves its embedding`, async () => {
    await staysTheSame(await enlarged(url));
  });
}

Deno.test("shrinking a JPEG of many small pictures while decoding leaves its embedding", async () => {
  await staysTheSame(await mosaic(pictures));
});
