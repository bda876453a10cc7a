/**
 * A program run to its end, which has a limit.
 *
 * @module
 */
import { within } from "./until.ts";

/** How a program ended, and all that it wrote. */
export interface ProgramEnd {
  code: number;
  stdout: string;
  stderr: string;
}

/** Longer than any program here takes, also where it compiles or fetches something first. */
const LIMIT_MS = 180_000;

/**
 * Runs a program to its end. One that does not end is killed.
 *
 * @param options as of `Deno.Command`; unless they say otherwise, it has no input
 * @throws {Error} naming the program that did not end
 */
export async function endOf(
  program: string,
  options: Deno.CommandOptions = {},
  limitMs = LIMIT_MS,
): Promise<ProgramEnd> {
  const piped = { stdin: "null", ...options, stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(program, piped).spawn();
  const name = [program, ...options.args ?? []].join(" ");
  const output = child.output();
  try {
    const { code, stdout, stderr } = await within(`the end of ${name}`, output, limitMs);
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    await output;
    throw error;
  }
}
