/**
 * A contender: onnxruntime-web alone, which runs the tower on the same numbers again and again.
 *
 * @module
 */
import * as ort from "onnxruntime-web";
import { compete, contenderArguments, stopwatch, workFor } from "./contender.ts";

const { model } = contenderArguments<{ model: string }>();
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
const pixels = new Float32Array(3 * 224 * 224).fill(0.5);

await compete((seconds) =>
  workFor(seconds, async () => {
    const lap = stopwatch();
    await session.run({ pixel_values: new ort.Tensor("float32", pixels, [1, 3, 224, 224]) });
    return { infer: lap() };
  })
);
