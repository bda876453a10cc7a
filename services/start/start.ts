/**
 * How a program starts: its settings are checked, what it may do is worked out from them, and the
 * process becomes the program. See [note: narrowed].
 *
 * @module
 */
import { SettingsError } from "@fovea/process/settings";
import { becomeDeno } from "./become.ts";
import { commandOf, DEFAULT_FOLDERS, type ProgramName } from "./command.ts";

/**
 * Where settings are wrong, ends with exit code 2 and names them.
 *
 * @param main what to run with the same permissions in its place, for tests
 */
export function start(name: ProgramName, args: string[], main?: string): never {
  // `deno task` goes to the project's folder: paths are meant from where its user stands.
  Deno.chdir(Deno.env.get("INIT_CWD") || ".");
  for (const [name, path] of Object.entries(DEFAULT_FOLDERS)) {
    if (!Deno.env.get(name)) Deno.env.set(name, path);
  }
  try {
    becomeDeno(commandOf(name, Deno.env, args, main));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
