/**
 * From a model to weights in memory: packed the first time, read from then on.
 *
 * @module
 */
import { isFileAt } from "./file_identity.ts";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { compileKernels, exactLevels, supported } from "./kernels/kernels.ts";
import type { Precision } from "./packing/layout.ts";
import { type Packed, readPackedFile } from "./packing/packed_file.ts";
import type { PackOrder, PackReport } from "./packing/pack_worker.ts";
import { UnsupportedModel } from "./unsupported_model.ts";
import type { Room, Weights } from "./weights.ts";

export interface LoadOptions extends Room {
  /** `fp32` unless said. */
  precision?: Precision;
  /** Of the model, lower-case hex, where it is known: else the model is read through to find out. */
  sha256?: string;
  /** The folder to keep packed weights in; the model's own unless said. */
  cacheDir?: string;
  /**
   * Pictures that int8 is calibrated with and proves itself on when it is packed, each
   * [3][imageSize][imageSize], normalised as the model wants them; made by code unless said.
   */
  calibration?: Float32Array[];
  /** Told why the model is being packed, since that takes seconds. */
  onNotice?: (text: string) => void;
}

/**
 * Loads a model's weights into a memory that threads can share.
 *
 * Where int8 has not proved itself on this model, the weights are fp32, and their `proof` says what
 * was measured.
 *
 * @param modelPath an ONNX file
 * @throws {UnsupportedModel} where the model is no image tower, one whose shape can't be tiled, or
 *   where this runtime has no relaxed SIMD: something else must run it
 */
export async function loadWeights(modelPath: string, options: LoadOptions = {}): Promise<Weights> {
  if (!supported()) throw new UnsupportedModel("this runtime has no relaxed SIMD");
  const precision = options.precision ?? "fp32";
  const model = options.sha256 ?? await sha256Of(modelPath);
  const folder = options.cacheDir ?? dirname(modelPath);
  const path = join(folder, `${basename(modelPath, ".onnx")}.${precision}.packed`);
  const identity = { model, precision, levels: exactLevels(await compileKernels()) };
  const read = () => readPackedFile(path, identity, options);
  let packed = await read();
  if (packed.kind === "nothing") {
    packed = await packOnce(path, read, (part, reason) => {
      options.onNotice?.(`packing ${basename(modelPath)} as ${precision}: of ${path}, ${reason}`);
      const calibration = options.calibration ?? null;
      return packInThread({ modelPath, sha256: model, precision, path: part, calibration });
    });
  }
  if (packed.kind === "weights") return packed.weights;
  if (packed.kind === "nothing") throw new Error(`Cannot use ${path}: ${packed.reason}`);
  return {
    ...await loadWeights(modelPath, { ...options, precision: "fp32", sha256: model }),
    proof: packed.proof,
  };
}

/**
 * Packs into `<path>.part` and gives it its name. [note: one packer] Who packs holds a lock on the
 * part: another process that wants the same waits, and finds it done.
 */
async function packOnce(
  path: string,
  read: () => Promise<Packed>,
  pack: (part: string, reason: string) => Promise<void>,
): Promise<Packed> {
  const part = `${path}.part`;
  for (;;) {
    using file = await Deno.open(part, { write: true, create: true });
    await file.lock(true);
    const before = await read();
    const isPart = await isFileAt(part, file);
    if (before.kind !== "nothing") {
      if (isPart) await Deno.remove(part);
      return before;
    }
    // Who had the lock before has failed and removed the part: there may be another by now.
    if (!isPart) continue;
    try {
      await pack(part, before.reason);
      await Deno.rename(part, path);
    } catch (error) {
      await Deno.remove(part);
      throw error;
    }
    return await read();
  }
}

/** The runtime's own: once onnxruntime-web has loaded a model, the global one is that of Node. */
const Thread = Worker;

async function packInThread(order: PackOrder): Promise<void> {
  const worker = new Thread(new URL("./packing/pack_worker.ts", import.meta.url), {
    type: "module",
  });
  try {
    const report = await new Promise<PackReport>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<PackReport>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`Cannot pack ${order.modelPath}: ${event.message}`));
      };
      worker.postMessage(order);
    });
    if (report.kind === "unsupported") throw new UnsupportedModel(report.reason);
    if (report.kind === "failed") throw new Error(report.message);
  } finally {
    worker.terminate();
  }
}

async function sha256Of(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const chunk = new Uint8Array(1 << 20);
  for (let count; (count = await file.read(chunk)) !== null;) hash.update(chunk.subarray(0, count));
  return hash.digest("hex");
}
