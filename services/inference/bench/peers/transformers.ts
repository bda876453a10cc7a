/**
 * A contender: @huggingface/transformers, from the bytes of a picture to its embedding, used as its
 * documentation shows.
 *
 * @module
 */
import type * as Transformers from "@huggingface/transformers";
import { compete, contenderArguments, readPictures, stopwatch, workFor } from "../contender.ts";

const { modelsFolder, pictures: folder, backend } = contenderArguments<{
  /** Holds `seeded/`, a model folder as a hub has it. */
  modelsFolder: string;
  pictures: string;
  backend: "wasm" | "native";
}>();

// The library's own way of being given a runtime; by itself it takes the native one here.
const wasm = backend === "wasm" ? await import("onnxruntime-web") : undefined;
if (wasm !== undefined) Object.assign(globalThis, { [Symbol.for("onnxruntime")]: wasm });
const { AutoProcessor, CLIPVisionModelWithProjection, env, RawImage }: typeof Transformers =
  await import("@huggingface/transformers");
env.localModelPath = modelsFolder;
env.allowRemoteModels = false;
if (wasm !== undefined) {
  wasm.env.wasm.numThreads = 1;
  // It has set the address of a copy on the web.
  delete wasm.env.wasm.wasmPaths;
}
const processor = await AutoProcessor.from_pretrained("seeded", {});
const model = await CLIPVisionModelWithProjection.from_pretrained("seeded", {
  dtype: "fp32",
  device: backend === "wasm" ? "auto" : "cpu",
});
const pictures = await readPictures(folder);

await compete((seconds) =>
  workFor(seconds, async (i) => {
    const lap = stopwatch();
    const image = await RawImage.fromBlob(new Blob([pictures[i % pictures.length]!]));
    const inputs = await processor(image);
    const decode = lap();
    const { image_embeds } = await model(inputs);
    image_embeds.normalize().tolist();
    return { decode, infer: lap() };
  })
);
