/**
 * What networks run on: ONNX Runtime in WebAssembly, everywhere and by default, or its native build,
 * where that is installed.
 *
 * @module
 */
import wasm from "../deno.json" with { type: "json" };
import native from "../native/deno.json" with { type: "json" };

/** Values of INFERENCE_BACKEND, the default first. */
export const BACKENDS = ["wasm", "native"] as const;
export type Backend = typeof BACKENDS[number];

/** How results and `GET /info` name a backend: library, exact version, and which build of it. */
export const BACKEND_NAMES: Readonly<Record<Backend, string>> = {
  wasm: `${library(wasm.imports["onnxruntime-web"])} wasm`,
  native: `${library(native.imports["onnxruntime-node"])} native`,
};

/** What runs tasks that have no weights. */
export const OWN_CODE = `fovea-inference ${wasm.version}`;

/** `npm:name@1.2.3` → `name 1.2.3`. */
function library(specifier: string): string {
  return specifier.replace("npm:", "").replace("@", " ");
}
