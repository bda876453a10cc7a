/**
 * onnxruntime-node, out of this folder's own node_modules. The deno.json beside this file is a
 * workspace of its own, with a lock of its own: its 240 MB are downloaded only where this backend is chosen.
 *
 * @module
 */
import { createRequire } from "node:module";
import type { InferenceSession, Tensor } from "onnxruntime-web";

/** What onnxruntime-node and onnxruntime-web have in common; both are made to the same types. */
export interface OnnxRuntime {
  InferenceSession: { create: typeof InferenceSession.create };
  Tensor: typeof Tensor;
}

/** What to do where the runtime can't be had. */
const WAY_OUT = "start the service by `./fovea inference-native`, which installs and allows it";

/**
 * Loads the native library, once for all threads. It needs `--allow-ffi` for this folder; and, since to the workspace
 * these files belong to no package, `--unstable-detect-cjs`.
 *
 * @param folder URL of where it is installed, or of a file there
 * @throws {Error} where it is not installed, not allowed, or not made for this machine
 */
export function loadNativeRuntime(folder = import.meta.url): OnnxRuntime {
  try {
    return createRequire(folder)("onnxruntime-node");
  } catch (error) {
    throw new Error(
      `Cannot load onnxruntime-node: ${reason(error)}: ${WAY_OUT}`,
      { cause: error },
    );
  }
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  if (code === "MODULE_NOT_FOUND") return "it is not installed";
  if (error instanceof Deno.errors.NotCapable) {
    return "native code is not allowed";
  }
  return message.split("\n")[0]!;
}
