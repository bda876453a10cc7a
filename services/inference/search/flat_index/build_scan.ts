/**
 * `deno task build-kernels`: compiles scan.c to scan.wasm.
 *
 * @module
 */
import { compile } from "@fovea/vit/compile";

/** Of a memory that several threads share. */
const FLAGS = ["-matomics", "-mbulk-memory", "-Wl,--shared-memory", "-Wl,--max-memory=4294967296"];

export const buildScan = (output: string): Promise<void> =>
  compile(new URL(".", import.meta.url), output, FLAGS);

if (import.meta.main) {
  await buildScan(new URL("./scan.wasm", import.meta.url).pathname);
}
