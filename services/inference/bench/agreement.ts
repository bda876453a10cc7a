/**
 * How similar the embeddings of the encoder's two precisions are.
 *
 * @module
 */
import type { EmbeddingResult } from "@fovea/contract";
import type { Precision } from "@fovea/vit";
import { decode } from "../picture/decode.ts";
import { imageEmbedding } from "../tasks/image_embedding.ts";
import type { ModelFile } from "../tasks/model_file.ts";
import { readPictures } from "./contender.ts";
import { lendTowers } from "./lend_towers.ts";

/** @returns the smallest cosine, over the pictures of a folder, of int8's embedding to fp32's */
export async function smallestCosine(model: ModelFile, folder: string): Promise<number> {
  const pictures = await readPictures(folder);
  const exact = await embedAll(model, "fp32", pictures);
  const quantised = await embedAll(model, "int8", pictures);
  // They have length 1.
  const cosines = exact.map((embedding, i) =>
    embedding.reduce((sum, value, k) => sum + value * quantised[i]![k]!, 0)
  );
  return Math.min(...cosines);
}

async function embedAll(
  model: ModelFile,
  precision: Precision,
  pictures: Uint8Array[],
): Promise<number[][]> {
  const [tower] = await lendTowers(model, precision, 1);
  const task = await imageEmbedding.load(model, "wasm", tower);
  return await Promise.all(pictures.map(async (bytes) => {
    using picture = await decode(bytes, Infinity, task.minSize);
    const result = await task.prepare(picture, 0, {})();
    return (result as EmbeddingResult).embedding;
  }));
}
