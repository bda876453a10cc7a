/**
 * The command line of each program: a service, or what fetches models beforehand, and the permissions
 * that follow from its settings.
 *
 * @module
 */
import { modelsPermissions } from "@fovea/models";
import { permissionFlags, type Permissions } from "@fovea/process/permissions";
import { fileURLToPath } from "node:url";
import { backupPermissions } from "../backup/permissions.ts";
import { connectionsWithin } from "./descriptors.ts";
import { inferencePermissions } from "../inference/permissions.ts";
import { inferenceSettings } from "../inference/settings.ts";
import { mediaStorePermissions } from "../media_store/permissions.ts";

/** As its task is called. */
export type ProgramName = "media-store" | "inference" | "models" | "backup";

interface Program {
  /** Relative to the project. */
  main: string;
  flags: string[];
  permissions(env: Env, args: string[]): Permissions;
  /** Descriptors that a service needs for itself: threads, databases, a worker's files. */
  ownDescriptors?(env: Env): number;
}

interface Env {
  get(name: string): string | undefined;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const PROGRAMS: Readonly<Record<ProgramName, Program>> = {
  "media-store": {
    main: "services/media_store/main.ts",
    flags: [],
    permissions: mediaStorePermissions,
    // Measured with all of its threads: 45.
    ownDescriptors: () => 48,
  },
  "inference": {
    main: "services/inference/main.ts",
    // The young generation of each thread is kept small (MB): by default they grow for as long as
    // there is work, and hold on to what they have. gc is for giving back weights nobody uses.
    flags: ["--v8-flags=--max-semi-space-size=4,--expose-gc"],
    permissions: inferencePermissions,
    // Measured: 42, and 4 a worker, to which calls of media_store and MQTT clients come.
    ownDescriptors: (env) => 50 + 6 * inferenceSettings(env).INFERENCE_WORKERS,
  },
  "models": { main: "models/main.ts", flags: [], permissions: modelsPermissions },
  "backup": { main: "services/backup/main.ts", flags: [], permissions: backupPermissions },
};

/**
 * @param env the settings; a relative path in it is meant from where the program will run
 * @param main what to run with the same permissions in its place, for tests
 * @returns arguments of `deno`
 * @throws {SettingsError} naming every wrong setting
 */
export function commandOf(
  name: ProgramName,
  env: Env,
  args: string[] = [],
  main: string = PROGRAMS[name].main,
): string[] {
  const { flags, permissions } = PROGRAMS[name];
  // Help is given whatever the settings are.
  const allowed = permissions(args.includes("--help") ? new Map() : env, args);
  return [
    "run",
    `--config=${ROOT}deno.json`,
    ...flags,
    ...permissionFlags(allowed),
    // To the workspace the files of a native library belong to no package.
    ...allowed.ffi === undefined ? [] : ["--unstable-detect-cjs"],
    `${ROOT}${main}`,
    ...args,
  ];
}

/**
 * What stands for a setting that is not set, as far as it follows from the machine.
 *
 * @param openFiles how many files the process may have open; undefined where nobody knows
 * @throws {SettingsError} naming every wrong setting
 */
export function derivedSettings(
  name: ProgramName,
  env: Env,
  openFiles: number | undefined,
): Record<string, string> {
  const own = PROGRAMS[name].ownDescriptors?.(env);
  if (openFiles === undefined || own === undefined) return {};
  return { MAX_CONNECTIONS: String(connectionsWithin(openFiles, own)) };
}

/** Where a program looks for data and models, wherever it is started. */
export const DEFAULT_FOLDERS: Readonly<Record<string, string>> = {
  DATA_DIR: `${ROOT}data`,
  MODELS_DIR: `${ROOT}models/cache`,
};
