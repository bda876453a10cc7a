/**
 * Packs a model in a thread of its own, which takes seconds and much memory: that comes back when the
 * thread ends.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { createHash } from "node:crypto";
import { readTower } from "../read_tower.ts";
import { UnsupportedModel } from "../unsupported_model.ts";
import { allotWeights, WEIGHTS_START } from "../weights.ts";
import { calibrationPictures } from "./calibration_pictures.ts";
import { layOut, type Precision } from "./layout.ts";
import { packInt8 } from "./pack_int8.ts";
import { packTower } from "./pack_tower.ts";
import { writePackedFile } from "./packed_file.ts";

export interface PackOrder {
  modelPath: string;
  /** Of the model, lower-case hex. */
  sha256: string;
  precision: Precision;
  /** Where to write to. */
  path: string;
  /** None: made by code. */
  calibration: Float32Array[] | null;
}

export type PackReport =
  | { kind: "packed" }
  | { kind: "unsupported"; reason: string }
  | { kind: "failed"; message: string };

self.onmessage = async ({ data }: MessageEvent<PackOrder>) => {
  self.postMessage(await report(data));
};

async function report(order: PackOrder): Promise<PackReport> {
  try {
    await pack(order);
    return { kind: "packed" };
  } catch (error) {
    if (error instanceof UnsupportedModel) return { kind: "unsupported", reason: error.reason };
    return { kind: "failed", message: (error as Error).message };
  }
}

async function pack({ modelPath, sha256, precision, path, calibration }: PackOrder): Promise<void> {
  const bytes = await Deno.readFile(modelPath);
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (digest !== sha256) {
    throw new Error(`Cannot pack ${modelPath}: its SHA-256 is ${digest}, and was to be ${sha256}`);
  }
  const tower = readTower(bytes);
  const { shape } = tower;
  if (precision === "fp32") {
    const weights = await allotWeights(shape, precision, {});
    packTower(tower, layOut(shape, precision, WEIGHTS_START), weights.memory);
    await writePackedFile(path, sha256, weights, null);
  } else {
    const { weights, proof } = await packInt8(
      tower,
      calibration ?? calibrationPictures(shape.imageSize),
    );
    await writePackedFile(path, sha256, weights, proof);
  }
}
