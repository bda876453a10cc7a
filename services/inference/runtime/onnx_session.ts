/**
 * A network with its weights loaded, the same to its caller whatever it runs on.
 *
 * [note: one thread a session] Every worker has a core to itself, and one session of one thread each
 * gives as many pictures a second as one session with all threads. onnxruntime-web's own threads,
 * besides, end in endless recursion on Deno 2.7. Memory comes back only with the end of the worker.
 *
 * @module
 */
import { basename } from "node:path";
import type { InferenceSession } from "onnxruntime-web";
import { loadNativeRuntime, type OnnxRuntime } from "../native/runtime.ts";
import type { Backend } from "./backend.ts";

/** Numbers in a shape, row by row. */
export interface FloatTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface Session {
  /**
   * Runs the network once; the thread does nothing else meanwhile.
   *
   * @param inputs by the model's names for them
   * @returns all outputs, by the model's names for them
   */
  run(inputs: Record<string, FloatTensor>): Promise<Record<string, FloatTensor>>;
}

/**
 * Loads a network of float inputs and outputs.
 *
 * @param path of an ONNX file
 * @throws {Error} where it can't be loaded, or the native backend is not installed or not allowed
 */
export async function openSession(
  path: string,
  backend: Backend = "wasm",
): Promise<Session> {
  const runtime = await RUNTIMES[backend]();
  const session = await create(runtime, path, backend);
  const onRuntime = ({ data, dims }: FloatTensor) => new runtime.Tensor("float32", data, dims);
  return {
    async run(inputs) {
      const feeds = Object.entries(inputs).map(([name, tensor]) => [name, onRuntime(tensor)]);
      return await session.run(Object.fromEntries(feeds)) as Record<string, FloatTensor>;
    },
  };
}

async function create(
  { InferenceSession }: OnnxRuntime,
  path: string,
  backend: Backend,
): Promise<InferenceSession> {
  try {
    // Given a path, onnxruntime-web holds the file twice while it reads it.
    return backend === "wasm"
      ? await InferenceSession.create(await Deno.readFile(path), OPTIONS.wasm)
      : await InferenceSession.create(path, OPTIONS.native);
  } catch (error) {
    // What is said here names the file, and may be shown to others.
    const message = (error as Error).message.replaceAll(path, basename(path));
    throw new Error(message, { cause: error });
  }
}

/** Each is loaded only where it is chosen. */
const RUNTIMES: Readonly<Record<Backend, () => Promise<OnnxRuntime> | OnnxRuntime>> = {
  async wasm() {
    const runtime = await import("onnxruntime-web");
    runtime.env.wasm.numThreads = 1;
    return runtime;
  },
  native: loadNativeRuntime,
};

/** See [note: one thread a session]. */
const OPTIONS: Readonly<Record<Backend, InferenceSession.SessionOptions>> = {
  wasm: { executionProviders: ["wasm"] },
  native: { executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1 },
};
