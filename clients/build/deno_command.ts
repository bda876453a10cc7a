/**
 * Deno's own commands, run by the Deno that runs this unless another one is named.
 *
 * @module
 */

/** Is called with a line for each thing that is being done. */
export type Say = (line: string) => void;

/**
 * Puts a bundled program on top of a base runtime.
 *
 * @param base its path, unset for Deno's own, which is downloaded where it is not there yet; and the
 * Deno that fits it
 * @throws {Error} with what Deno said
 */
export async function compileFile(
  program: string,
  output: string,
  base: { path?: string; deno?: string },
  { flags = [], limitMs }: { flags?: string[]; limitMs?: number } = {},
): Promise<void> {
  // The bundle needs neither type checks nor the workspace.
  const bare = ["--quiet", "--no-check", "--no-config", `--output=${output}`];
  const env = base.path === undefined ? {} : { DENORT_BIN: base.path };
  await runDeno(["compile", ...bare, ...flags, program], { env, limitMs, deno: base.deno });
}

/** @throws {Error} with what Deno said, or that it took too long */
export async function runDeno(
  args: string[],
  { limitMs, deno = Deno.execPath(), ...options }: Deno.CommandOptions & {
    limitMs?: number | undefined;
    deno?: string | undefined;
  } = {},
): Promise<void> {
  const limit = limitMs === undefined ? undefined : AbortSignal.timeout(limitMs);
  const { success, stderr } = await new Deno.Command(deno, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...(limit !== undefined && { signal: limit }),
    ...options,
  }).output();
  if (success) return;
  if (limit?.aborted) throw new Error(`not done within ${limitMs! / 1000} s`);
  const [said = ""] = new TextDecoder().decode(stderr).split("\nStack backtrace:");
  throw new Error(`Cannot run deno ${args[0]}: ${said.trim()}`);
}
