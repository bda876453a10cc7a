import type { EmbeddingResult } from "@fovea/contract";
import { openEncoder } from "@fovea/vit";
import type { Picture, Region } from "../picture/decode.ts";
import type { Backend } from "../runtime/backend.ts";
import { openSession } from "../runtime/onnx_session.ts";
import type { LentTower } from "./shared_towers.ts";
import type { ModelFile } from "./model_file.ts";
import type { Task } from "./task.ts";

/** Pixels on a side of what CLIP ViT-B/32 sees. */
const SIDE = 224;

/** Mean and deviation of the pictures CLIP was trained on, RGB, 0…1 (Radford et al. 2021, published with the model). */
export const MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
export const DEVIATION = [0.26862954, 0.26130258, 0.27577711] as const;

/** Between two runs of a model with the same input, on one machine: rounding, no more. */
const TOLERANCE = 1e-4;

/** CLIP's picture vector: 512 numbers, L2 norm 1. */
export const imageEmbedding: Task<object, EmbeddingResult> = {
  type: "image_embedding",
  modelSetting: "EMBEDDING_MODEL",
  preprocess: 2,
  hasTower: true,
  resultSchema: ({ z, schemaOf }) =>
    schemaOf<EmbeddingResult>()({
      embedding: z.array(z.number()).meta({ description: "512 numbers, L2 norm 1" }),
      embedding_dimension: z.int(),
      stored_in_vector_db: z.literal(true),
      collection: z.literal("image_embeddings"),
      point_id: z.int().meta({ description: "the entity's id" }),
    }).meta({ id: "EmbeddingResult" }),
  eventMembers: ({ embedding_dimension }) => ({ embedding_dimension }),
  vector: ({ embedding }) => embedding,
  faultOf({ embedding }, first) {
    const length = Math.hypot(...embedding);
    // Not a number is not close to 1 either.
    if (!(Math.abs(length - 1) < TOLERANCE)) return `its vector has length ${length}, not 1`;
    if (first === undefined) return undefined;
    const apart = Math.max(...embedding.map((x, i) => Math.abs(x - first.embedding[i]!)));
    return apart < TOLERANCE
      ? undefined
      : `its vector is ${apart} away from that of another worker`;
  },
  async load(model, backend, tower) {
    const embed = tower ? embedderIn(tower) : await embedderOn(model, backend);
    return {
      // Twice what the network sees: at one and a half times, a picture full of small ones strayed
      // to a cosine of 0.996 with itself decoded in full.
      minSize: { side: 2 * SIDE },
      prepare(picture, entityId) {
        const pixels = clipInput(picture);
        return async () => {
          const embedding = toUnitLength(await embed(pixels));
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

/** [3, 224, 224] to the picture's vector, of any length. */
type Embedder = (pixels: Float32Array) => Promise<Float32Array>;

function embedderIn({ weights, slot }: LentTower): Embedder {
  const encoder = openEncoder(weights, slot);
  return (pixels) => Promise.resolve(encoder.run(pixels));
}

async function embedderOn(model: ModelFile, backend: Backend | undefined): Promise<Embedder> {
  const session = await openSession(model.path, backend);
  return async (data) => {
    const { image_embeds } = await session.run({
      pixel_values: { data, dims: [1, 3, SIDE, SIDE] },
    });
    if (image_embeds !== undefined) return image_embeds.data;
    throw new Error("model has no output image_embeds: it is no CLIP image tower");
  };
}

/**
 * What CLIP sees of a picture: shorter side scaled to 224, centre cut out, normalised.
 *
 * @returns [3, 224, 224], red, green, blue
 */
export function clipInput(picture: Picture): Float32Array {
  return normalise(picture.sample(centreSquare(picture), SIDE, SIDE));
}

/**
 * The part that is left of a picture scaled so that its shorter side fits, and cut to a square, in
 * the picture's own pixels: a long narrow one need not be blown up to be cut.
 */
function centreSquare({ width, height }: Picture): Region {
  const short = Math.min(width, height);
  const [x, columns] = middle(width, short);
  const [y, rows] = middle(height, short);
  return { x, y, width: columns, height: rows };
}

/**
 * Rounded as torchvision's Resize and CenterCrop do, with which CLIP was published.
 *
 * @returns where the square begins on a side of `length`, and how much of it it takes
 */
function middle(length: number, short: number): [start: number, length: number] {
  const scaled = Math.floor(SIDE * length / short);
  const perPixel = length / scaled;
  return [roundToEven((scaled - SIDE) / 2) * perPixel, SIDE * perPixel];
}

/** Python's round: a half goes to the even neighbour. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 && floor % 2 === 0 ? floor : Math.round(value);
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
