/**
 * The clients as their users have them: compiled.
 *
 * @module
 */
import { type Need, type TemporaryFolder, temporaryFolder } from "@fovea/testing";
import { canTakeBaseRuntime } from "../build/base_runtime.ts";
import { compileClients } from "../build/compile.ts";
import type { ClientName } from "../build/permissions.ts";
import { clientArguments, type ClientEnd, endOf } from "./client_process.ts";

/** What only Deno's own download gives on machines other than 64-bit x86 Linux. */
export const baseRuntime: Need = {
  isThere: await canTakeBaseRuntime(),
  what: "a base runtime for deno compile (dl.deno.land, or DENORT_BIN)",
};

export interface CompiledClients {
  /** A folder whose name ends in "/". */
  readonly folder: string;
  pathOf(name: ClientName): string;
  /** A client as a command; from its sources where none can be compiled. */
  command(name: ClientName, args: string[], options?: Deno.CommandOptions): Deno.Command;
  /** Runs a client in an empty folder, with nothing in its environment, to its end. */
  run(name: ClientName, args: string[]): Promise<ClientEnd>;
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
    command: (name, args, options) =>
      baseRuntime.isThere
        ? new Deno.Command(clients.pathOf(name), { args, clearEnv: true, ...options })
        : new Deno.Command(Deno.execPath(), { args: clientArguments(name, args), ...options }),
    run: async (name, args) => {
      await using empty = await temporaryFolder();
      return await endOf(clients.command(name, args, { cwd: empty.path }));
    },
  };
  return clients;
}
