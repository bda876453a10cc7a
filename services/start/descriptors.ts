/**
 * How many connections the system's limit of open files allows.
 *
 * @module
 */
import { C_LIBRARY } from "./c_library.ts";

/** RLIMIT_NOFILE. */
const OPEN_FILES: Partial<Record<typeof Deno.build.os, number>> = { linux: 7, darwin: 8 };

/** More than these cost memory and serve nobody. */
const MOST = 2000;
const FEWEST = 4;

/** The socket, and a file that its request reads or writes. */
const DESCRIPTORS_A_CONNECTION = 2;

/**
 * How many files this process may have open. Deno has raised the soft limit to the hard one when it
 * started. Needs `--allow-ffi`.
 *
 * @returns undefined where the system does not say
 */
export function openFilesLimit(): number | undefined {
  const library = C_LIBRARY[Deno.build.os];
  const resource = OPEN_FILES[Deno.build.os];
  if (library === undefined || resource === undefined) return undefined;
  const { symbols } = Deno.dlopen(library, {
    getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  });
  const limits = new BigUint64Array(2);
  if (symbols.getrlimit(resource, limits) !== 0) return undefined;
  return Number(limits[0]);
}

/** @param own descriptors that the service needs for itself, none of its clients' among them */
export function connectionsWithin(openFiles: number, own: number): number {
  const left = Math.floor((openFiles - own) / DESCRIPTORS_A_CONNECTION);
  return Math.max(FEWEST, Math.min(left, MOST));
}
