/**
 * Programs for tests that may run native code, which is not allowed in the tests' own process.
 *
 * @module
 */
import { endOf, type ProgramEnd } from "@fovea/testing";
import type { Need } from "@fovea/testing";

const ROOT = new URL("../../../", import.meta.url);

/** Whether the native backend has been installed. */
export const native: Need = {
  isThere: await Deno.stat(new URL("../native/node_modules/onnxruntime-node", import.meta.url))
    .then(() => true, () => false),
  what: "the native backend (deno task install-native)",
};

/** What INFERENCE_BACKEND=native allows beyond the rest. */
export const NATIVE_FLAGS = ["--unstable-detect-cjs", "--allow-ffi=services/inference/native"];

/** Runs a program of this folder's, which may read files and what `flags` allow. */
export async function runProgram(
  name: string,
  args: string[],
  flags: string[] = NATIVE_FLAGS,
): Promise<ProgramEnd> {
  const script = `services/inference/testing/${name}`;
  return await endOf(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--ignore-env",
      "--allow-read",
      ...flags,
      script,
      ...args,
    ],
    cwd: ROOT,
  });
}
