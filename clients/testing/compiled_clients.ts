/**
 * The clients as their users have them: compiled.
 *
 * @module
 */
import {
  endOf,
  type Need,
  type ProgramEnd,
  type TemporaryFolder,
  temporaryFolder,
} from "@fovea/testing";
import { canTakeBaseRuntime } from "../build/base_runtime.ts";
import { compileClients } from "../build/compile.ts";
import type { ClientName } from "../build/permissions.ts";
import { clientArguments } from "./client_process.ts";

/** What only Deno's own download gives on machines other than 64-bit x86 Linux. */
export const baseRuntime: Need = {
  isThere: await canTakeBaseRuntime(),
  what: "a base runtime for deno compile (dl.deno.land, or DENORT_BIN)",
};

export interface CompiledClients {
  /** A folder whose name ends in "/". */
  readonly folder: string;
  pathOf(name: ClientName): string;
  /** A client's program and arguments; from its sources where none can be compiled. */
  command(name: ClientName, args: string[]): { program: string; args: string[] };
  /** Runs a client in an empty folder, with nothing in its environment, to its end. */
  run(name: ClientName, args: string[]): Promise<ProgramEnd>;
}

/** The clients, compiled into a folder that is there for the tests of the file that calls this. */
export function compiledClients(): CompiledClients {
  let dist: TemporaryFolder;
  Deno.test.beforeAll(async () => {
    dist = await temporaryFolder();
    if (baseRuntime.isThere) await compileClients(() => {}, `${dist.path}/dist/`);
  });
  Deno.test.afterAll(async () => await dist[Symbol.asyncDispose]());
  const clients: CompiledClients = {
    get folder() {
      return `${dist.path}/dist/`;
    },
    pathOf: (name) => clients.folder + name,
    command: (name, args) =>
      baseRuntime.isThere
        ? { program: clients.pathOf(name), args }
        : { program: Deno.execPath(), args: clientArguments(name, args) },
    run: async (name, given) => {
      await using empty = await temporaryFolder();
      const { program, args } = clients.command(name, given);
      return await endOf(program, { args, cwd: empty.path, clearEnv: baseRuntime.isThere });
    },
  };
  return clients;
}
