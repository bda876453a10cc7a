/**
 * A contender: onnxruntime-node alone, which runs the tower on the same numbers again and again.
 *
 * @module
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { compete, contenderArguments, stopwatch, workFor } from "../contender.ts";

/** `threads`: 0 leaves it to the library, which takes all cores. */
const { model, threads } = contenderArguments<{ model: string; threads: number }>();
const session = await InferenceSession.create(model, { intraOpNumThreads: threads });
const pixels = new Float32Array(3 * 224 * 224).fill(0.5);

await compete((seconds) =>
  workFor(seconds, async () => {
    const lap = stopwatch();
    await session.run({ pixel_values: new Tensor("float32", pixels, [1, 3, 224, 224]) });
    return { infer: lap() };
  })
);
