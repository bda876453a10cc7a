/**
 * `deno task build-kernels`: compiles the C files here to kernels.wasm.
 *
 * @module
 */
import { compile } from "./compile.ts";

const FLAGS = [
  "-mrelaxed-simd",
  "-matomics",
  "-mbulk-memory",
  "-Wl,--shared-memory",
  "-Wl,--max-memory=4294967296",
];

export const buildKernels = (output: string): Promise<void> =>
  compile(new URL(".", import.meta.url), output, FLAGS);

if (import.meta.main) {
  await buildKernels(new URL("./kernels.wasm", import.meta.url).pathname);
}
