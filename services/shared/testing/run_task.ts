/**
 * A task of the project in a process of its own, as its user runs it, to its end.
 *
 * @module
 */
import { endOf, type ProgramEnd } from "./program_end.ts";

const ROOT = new URL("../../../", import.meta.url);

/** @param env settings beside those of this process */
export async function runTask(
  task: string,
  args: string[],
  env: Record<string, string>,
): Promise<ProgramEnd> {
  return await endOf(Deno.execPath(), {
    args: ["task", "--quiet", task, ...args],
    cwd: ROOT,
    env,
  });
}
