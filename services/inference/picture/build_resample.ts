/**
 * `deno task build-kernels`: compiles resample.c to resample.wasm.
 *
 * @module
 */
import { compile } from "@fovea/vit/compile";

export const buildResample = (output: string): Promise<void> =>
  compile(new URL(".", import.meta.url), output);

if (import.meta.main) {
  await buildResample(new URL("./resample.wasm", import.meta.url).pathname);
}
