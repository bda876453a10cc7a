/**
 * A client run as its users run it: a process with arguments, streams and an exit code.
 *
 * @module
 */
import { endOf, type ProgramEnd } from "@fovea/testing";
import { type ClientName, permissionsOf } from "../build/permissions.ts";

/** Runs a client from its sources, with the permissions of the binary, to its end. */
export async function runClient(
  name: ClientName,
  args: string[],
  env: Record<string, string> = {},
): Promise<ProgramEnd> {
  return await endOf(Deno.execPath(), clientOptions(name, args, env));
}

export function clientCommand(
  name: ClientName,
  args: string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), clientOptions(name, args, env));
}

function clientOptions(
  name: ClientName,
  args: string[],
  env: Record<string, string>,
): Deno.CommandOptions {
  return {
    args: clientArguments(name, args),
    env: { FOVEA_TOKEN: "", FOVEA_TOKEN_FILE: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  };
}

/** What Deno is given to run a client from its sources. */
export function clientArguments(name: ClientName, args: string[]): string[] {
  const entry = new URL(`../program/${name.replace("-", "_")}.ts`, import.meta.url).href;
  return ["run", ...permissionsOf(name), entry, ...args];
}
