/**
 * How similar the embeddings of the encoder's two precisions are.
 *
 * @module
 */
import type { EmbeddingResult } from "@fovea/contract";
import type { Levels, Precision } from "@fovea/vit";
import { decode } from "../picture/decode.ts";
import { imageEmbedding } from "../tasks/image_embedding.ts";
import type { ModelFile } from "../tasks/model_file.ts";
import { readPictures } from "./contender.ts";
import { lendTowers } from "./lend_towers.ts";

/** The smallest cosine, over the pictures of a folder, of int8's embedding to fp32's. */
export async function smallestCosine(
  model: ModelFile,
  folder: string,
): Promise<{ cosine: number; levels: Levels }> {
  const pictures = await readPictures(folder);
  const { embeddings: exact } = await embedAll(model, "fp32", pictures);
  const { embeddings: quantised, levels } = await embedAll(model, "int8", pictures);
  // They have length 1.
  const cosines = exact.map((embedding, i) =>
    embedding.reduce((sum, value, k) => sum + value * quantised[i]![k]!, 0)
  );
  return { cosine: Math.min(...cosines), levels };
}

async function embedAll(
  model: ModelFile,
  precision: Precision,
  pictures: Uint8Array[],
): Promise<{ embeddings: number[][]; levels: Levels }> {
  const [tower] = await lendTowers(model, precision, 1);
  const task = await imageEmbedding.load(model, "wasm", tower);
  const embeddings = await Promise.all(pictures.map(async (bytes) => {
    using picture = await decode(bytes, Infinity, task.minSize);
    const result = await task.prepare(picture, 0, {})();
    return (result as EmbeddingResult).embedding;
  }));
  return { embeddings, levels: tower!.weights.levels };
}
