/**
 * Zero-shot classification (Radford et al. 2021, section 3.1) as a check of both towers together:
 * of a few captions, the right one has to be nearest to the picture.
 *
 * @module
 */
import { digestOf } from "@fovea/models/digest";

/** CLIP's text tower, which no task serves: lay it into MODELS_DIR under this name. */
export const TEXT_TOWER = {
  file: "clip_vit_b_32_text.onnx",
  url:
    "https://huggingface.co/Xenova/clip-vit-base-patch32/resolve/d15189d7028b43f1d3e65039190477f6af591c2a/onnx/text_model.onnx",
  bytes: 254058553,
  sha256: "3f6571f5bad13a97c469c1622e1cfc4d9aef78b79fdbfcff804ca357bfada8cc",
};

/** "a photo of a …": the last word of each caption, and its token in CLIP's vocabulary. */
const WORDS = { cat: 2368, dog: 1929, car: 1615, beach: 2117 } as const;
export type Word = keyof typeof WORDS;

/** Start, "a", "photo", "of", "a", the word, end. */
const tokensOf = (word: Word) => [49406, 320, 1125, 539, 320, WORDS[word], 49407];

/** Whether the file is the published one. */
export async function isPublished(path: string): Promise<boolean> {
  const digest = await digestOf(path);
  return digest?.sha256 === TEXT_TOWER.sha256;
}

/** The captions' vectors, by their words, as the network gives them. @param path of an ONNX file */
export async function embedCaptions(path: string): Promise<Map<Word, Float32Array>> {
  const { InferenceSession, Tensor, env } = await import("onnxruntime-web");
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(await Deno.readFile(path), {
    executionProviders: ["wasm"],
  });
  const vectors = new Map<Word, Float32Array>();
  for (const word of Object.keys(WORDS) as Word[]) {
    const tokens = BigInt64Array.from(tokensOf(word), BigInt);
    const input_ids = new Tensor("int64", tokens, [1, tokens.length]);
    const { text_embeds } = await session.run({ input_ids });
    vectors.set(word, text_embeds!.data as Float32Array);
  }
  return vectors;
}

/** The words by how near their captions are to a picture, nearest first. */
export function nearest(picture: Float32Array, captions: Map<Word, Float32Array>): Word[] {
  const cosine = (caption: Float32Array) =>
    dot(picture, caption) / Math.sqrt(dot(caption, caption) * dot(picture, picture));
  return [...captions].sort(([, a], [, b]) => cosine(b) - cosine(a)).map(([word]) => word);
}

/** @returns the sum of the products of numbers at the same place */
export function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
