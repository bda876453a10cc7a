import { encodeModel } from "@fovea/models/onnx";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { openSession } from "./runtime/onnx_session.ts";
import { embedCaptions, isPublished, nearest } from "./verify_captions.ts";

// The runtime's first session opens a message port that it keeps: not a leak of the test at hand.
await openSession(import.meta.filename!).catch(() => {});

/** A text tower that looks at nothing but the words: the sum of a vector for each token. */
function bagOfWords(vectors: Record<number, number[]>): Uint8Array {
  const [tokens, width] = [49408, 2];
  const table = new Float32Array(tokens * width);
  for (const [token, vector] of Object.entries(vectors)) table.set(vector, Number(token) * width);
  return encodeModel({
    opset: 13,
    name: "bag of words",
    description: "",
    inputs: [{ name: "input_ids", shape: ["n", "length"], type: "int64" }],
    outputs: [{ name: "text_embeds", shape: ["n", width] }],
    nodes: [
      { op: "Gather", inputs: ["table", "input_ids"], outputs: ["words"] },
      {
        op: "ReduceSum",
        inputs: ["words", "axes"],
        outputs: ["text_embeds"],
        attributes: { keepdims: { int: 0 } },
      },
    ],
    initializers: new Map([
      ["table", { dims: [tokens, width], data: table }],
      ["axes", { dims: [1], data: BigInt64Array.of(1n) }],
    ]),
  });
}

Deno.test("captions are embedded word by word and ordered by their cosine to a picture", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/text.onnx`;
  // Cat, dog, car and beach; a longer vector is no nearer.
  await Deno.writeFile(
    path,
    bagOfWords({ 2368: [1, 0], 1929: [9, 3], 1615: [1, 1], 2117: [0, 1] }),
  );
  const captions = await embedCaptions(path);
  assert.deepEqual(nearest(Float32Array.of(2, 0.1), captions), ["cat", "dog", "car", "beach"]);
  assert.deepEqual(nearest(Float32Array.of(0, 1), captions), ["beach", "car", "dog", "cat"]);
  assert.equal(await isPublished(path), false);
});
