/**
 * What media_store does instead of serving, when it is started with options: check the store, repair
 * it, back it up.
 *
 * @module
 */
import { claimEmpty } from "@fovea/storage/backup";
import { claimFolder } from "@fovea/storage/folder";
import { readSettings, SettingsError } from "@fovea/process/settings";
import { parseArgs } from "node:util";
import { mediaStoreSettings } from "../settings.ts";
import { backUpStore } from "./backup.ts";
import { checkStore, type Finding } from "./check.ts";
import { quarantine } from "./quarantine.ts";

const HELP = `Usage: ./fovea media-store [--check [--repair] | --backup DIR]

Without options: serves the store in DATA_DIR/media_store.

  --check        compare every file with its digest and size in the database, and look for files
                 that are missing or that nobody needs; the service may be running
  --repair       with --check: move files that don't match into DATA_DIR/media_store/quarantine;
                 the service must not be running
  --backup DIR   copy the store alone, as it is at this moment, into DIR, which is empty or new; the
                 service may be running. ./fovea backup copies what inference keeps, too
  --help         this

Its settings are environment variables, which services/SETTINGS.md lists.

Exit code: 0 done, and nothing wrong; 1 something is wrong with the store, or it can't be read or
copied; 2 wrong usage.`;

/** @returns the exit code */
export async function runMaintenanceCommand(args: string[]): Promise<number> {
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    const { message } = error as Error;
    console.error(`Cannot do that: ${message.replace(/^Unknown/, "unknown")}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  try {
    const { DATA_DIR } = readSettings(mediaStoreSettings, Deno.env);
    if (options.backup !== undefined) return await reportBackup(DATA_DIR, options.backup);
    return await reportCheck(DATA_DIR, options.repair ?? false);
  } catch (error) {
    console.error((error as Error).message);
    return error instanceof SettingsError ? 2 : 1;
  }
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      check: { type: "boolean" },
      repair: { type: "boolean" },
      backup: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.repair && !values.check) throw new Error("--repair goes with --check");
  if (values.check && values.backup !== undefined) {
    throw new Error("--check and --backup are two things: do one after the other");
  }
  if (values.backup === "") throw new Error("--backup wants a folder");
  return values;
}

async function reportBackup(dataDir: string, target: string): Promise<number> {
  const folder = folderOf(dataDir);
  const { files, bytes, lost } = await attempt("back up", async () => {
    await claimEmpty(target);
    return await backUpStore(folder, `${target}/media_store`);
  });
  for (const { path, entityId } of lost) {
    console.log(`missing: ${path} is not there: entity ${entityId} needs it`);
  }
  console.log(`backed up ${files} files, ${megabytes(bytes)}, into ${target}`);
  return lost.length === 0 ? 0 : 1;
}

async function reportCheck(dataDir: string, repair: boolean): Promise<number> {
  // Looked for before it is claimed: that would make the folder.
  const folder = folderOf(dataDir);
  using _claimed = repair ? await claimFolder(dataDir, "media_store") : undefined;
  const { findings, files, bytes } = await attempt("check", () => checkStore(folder));
  for (const finding of findings) {
    console.log(line(finding));
    if (repair) await reportRepair(folder, finding);
  }
  const found = findings.length === 0 ? "nothing is wrong" : `${findings.length} things are wrong`;
  console.log(`checked ${files} files, ${megabytes(bytes)}, and the database: ${found}`);
  return findings.length === 0 ? 0 : 1;
}

async function reportRepair(folder: string, finding: Finding): Promise<void> {
  const place = await quarantine(folder, finding);
  if (place !== null) console.log(`  moved to ${place}`);
  else if (finding.path === null) console.log("  can't be repaired: restore a backup");
  else console.log("  can't be repaired: send the same bytes again by PUT, or restore a backup");
}

const line = ({ kind, path, detail }: Finding) =>
  path === null ? `${kind}: ${detail}` : `${kind}: ${path} ${detail}`;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @throws {Error} where there is no store */
function folderOf(dataDir: string): string {
  const folder = `${dataDir}/media_store`;
  try {
    Deno.statSync(`${folder}/entities.sqlite`);
    return folder;
  } catch {
    throw new Error(`Cannot find a store in ${folder}: set DATA_DIR`);
  }
}

/** Runs what reads or copies the store, and says what was being done where that fails. */
async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new Error(`Cannot ${what} the store: ${(error as Error).message}`, { cause: error });
  }
}
