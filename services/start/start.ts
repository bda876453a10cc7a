/**
 * How a program starts: its settings are checked, what it may do is worked out from them, and the
 * process becomes the program. See [note: narrowed].
 *
 * @module
 */
import { SettingsError } from "@fovea/process/settings";
import { becomeDeno } from "./become.ts";
import { commandOf, DEFAULT_FOLDERS, derivedSettings, type ProgramName } from "./command.ts";
import { openFilesLimit } from "./descriptors.ts";

/** Deno since 2.8 compresses answers only where it is asked to. */
const FOR_DENO = { DENO_SERVE_AUTOMATIC_COMPRESSION: "1" };

/**
 * Where settings are wrong, ends with exit code 2 and names them.
 *
 * @param main what to run with the same permissions in its place, for tests
 */
export function start(name: ProgramName, args: string[], main?: string): never {
  // `deno task` goes to the project's folder: paths are meant from where its user stands.
  Deno.chdir(Deno.env.get("INIT_CWD") || ".");
  setUnset(DEFAULT_FOLDERS);
  setUnset(FOR_DENO);
  try {
    if (!args.includes("--help")) {
      setUnset(derivedSettings(name, Deno.env, openFilesLimit()));
    }
    becomeDeno(commandOf(name, Deno.env, args, main));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}

function setUnset(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Deno.env.get(name)) Deno.env.set(name, value);
  }
}
