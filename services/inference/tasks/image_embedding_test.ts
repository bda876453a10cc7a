import type { EmbeddingResult } from "@fovea/contract";
import { testModel } from "@fovea/testing/models";
import { MagickColor, MagickFormat, MagickImage } from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { decode } from "../picture/decode.ts";
import { imageEmbedding } from "./image_embedding.ts";

const IMAGES = new URL("../../../clients/images/", import.meta.url);
const task = await imageEmbedding.load(await testModel("image_embedding", "fixture"));

async function embed(bytes: Uint8Array): Promise<EmbeddingResult> {
  using picture = await decode(bytes, 50_000_000);
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

Deno.test("long narrow pictures are embedded by their middle", async () => {
  for (const [width, height] of [[8, 4000], [4000, 8]] as const) {
    const strip = MagickImage.create(new MagickColor("#336699"), width, height);
    const file = strip.write(MagickFormat.Png, (bytes) => bytes.slice());
    strip.dispose();
    assert.equal((await embed(file)).embedding.length, 512);
  }
});
