/**
 * onnxruntime-web, for tests that compare with it.
 *
 * @module
 */
import * as ort from "onnxruntime-web";
import { writeClipTower } from "../../clip_tower.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal"; // tests also give it graphs that it warns of

/** A file's network, loaded. */
export interface Runtime extends AsyncDisposable {
  /**
   * @param pictures [3][side][side] each, as many as the network takes at once
   * @returns what its first output has for each
   */
  embed(pictures: Float32Array[]): Promise<Float32Array[]>;
}

/** @throws {Error} where the runtime refuses the file */
export async function openRuntime(onnx: Uint8Array): Promise<Runtime> {
  const options = { executionProviders: ["wasm"], logSeverityLevel: 4 } as const;
  const session = await ort.InferenceSession.create(onnx, options);
  return {
    async embed(pictures) {
      const length = pictures[0]!.length;
      const pixels = new Float32Array(pictures.length * length);
      pictures.forEach((picture, i) => pixels.set(picture, i * length));
      const side = Math.sqrt(length / 3);
      const input = new ort.Tensor("float32", pixels, [pictures.length, 3, side, side]);
      const outputs = await session.run({ [session.inputNames[0]!]: input });
      const { data } = outputs[session.outputNames[0]!]!;
      const size = data.length / pictures.length;
      return pictures.map((_, i) => (data as Float32Array).slice(i * size, (i + 1) * size));
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

// The runtime's first session opens a message port that it keeps: not a leak of this test.
const SMALLEST = { imageSize: 2, patchSize: 1, width: 1, layers: 1, heads: 1, mlpWidth: 1 };
const first = await openRuntime(writeClipTower({ ...SMALLEST, embeddingSize: 1 }));
await first[Symbol.asyncDispose]();
