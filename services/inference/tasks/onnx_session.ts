import * as ort from "onnxruntime-web";

/** What computes, as results name it. */
export const BACKEND = "onnxruntime-web 1.30.0 wasm";

/**
 * Loads a network. One thread: every worker has a core, and on Deno 2.7 onnxruntime-web's own
 * threads end in endless recursion. Memory comes back only with the end of the worker.
 */
export async function openSession(path: string): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1;
  return await ort.InferenceSession.create(path, { executionProviders: ["wasm"] });
}
