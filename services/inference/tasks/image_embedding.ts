import type { EmbeddingResult } from "@fovea/contract";
import { Tensor } from "onnxruntime-web";
import type { Picture, Region } from "../picture/decode.ts";
import { openSession } from "./onnx_session.ts";
import type { LoadedTask, ModelFile, Task } from "./task.ts";

/** Pixels on a side of what CLIP ViT-B/32 sees. */
const SIDE = 224;

/** Mean and deviation of the pictures CLIP was trained on, RGB, 0…1 (Radford et al. 2021, published with the model). */
const MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const DEVIATION = [0.26862954, 0.26130258, 0.27577711] as const;

/** CLIP's picture vector: 512 numbers, L2 norm 1. */
export const imageEmbedding: Task = {
  type: "image_embedding",
  preprocess: 1,
  async load(model: ModelFile): Promise<LoadedTask> {
    const session = await openSession(model.path);
    return {
      prepare(picture, entityId) {
        const pixels = normalise(picture.sample(centreSquare(picture), SIDE, SIDE));
        return async (): Promise<EmbeddingResult> => {
          const input = new Tensor("float32", pixels, [1, 3, SIDE, SIDE]);
          const { image_embeds } = await session.run({ pixel_values: input });
          if (image_embeds === undefined) {
            throw new Error("model has no output image_embeds: it is no CLIP image tower");
          }
          const embedding = toUnitLength(image_embeds.data as Float32Array);
          return {
            embedding: Array.from(embedding),
            embedding_dimension: embedding.length,
            stored_in_vector_db: true,
            collection: "image_embeddings",
            point_id: entityId,
          };
        };
      },
    };
  },
};

/** What is left after scaling the shorter side to the network's and cropping the centre: cropped first, so that a long narrow picture is not blown up. */
function centreSquare({ width, height }: Picture): Region {
  const side = Math.min(width, height);
  return {
    x: Math.round((width - side) / 2),
    y: Math.round((height - side) / 2),
    width: side,
    height: side,
  };
}

/** @returns [3, 224, 224] */
function normalise(rgb: Uint8Array): Float32Array {
  const planes = new Float32Array(3 * SIDE * SIDE);
  for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      planes[channel * SIDE * SIDE + pixel] = (rgb[pixel * 3 + channel]! / 255 - MEAN[channel]!) /
        DEVIATION[channel]!;
    }
  }
  return planes;
}

/** @throws {Error} where there is no direction to keep */
function toUnitLength(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(norm) || norm === 0) {
    throw new Error(`model gave a vector of length ${norm}`);
  }
  return vector.map((value) => value / norm);
}
