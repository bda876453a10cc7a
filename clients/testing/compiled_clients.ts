import { type TemporaryFolder, temporaryFolder } from "@fovea/testing";
import { compileClients } from "../build/compile.ts";
import type { ClientName } from "../build/permissions.ts";
import { type ClientEnd, endOf } from "./client_process.ts";

export interface CompiledClients {
  /** A folder whose name ends in "/". */
  readonly folder: string;
  pathOf(name: ClientName): string;
  /** Runs a client in an empty folder, with nothing in its environment but `env`, to its end. */
  run(name: ClientName, args: string[], env?: Record<string, string>): Promise<ClientEnd>;
}

/** The clients, compiled into a folder that is there for the tests of the file that calls this. */
export function compiledClients(): CompiledClients {
  let dist: TemporaryFolder;
  Deno.test.beforeAll(async () => {
    dist = await temporaryFolder();
    await compileClients(() => {}, `${dist.path}/dist/`);
  });
  Deno.test.afterAll(async () => await dist[Symbol.asyncDispose]());
  const clients: CompiledClients = {
    get folder() {
      return `${dist.path}/dist/`;
    },
    pathOf: (name) => clients.folder + name,
    run: async (name, args, env = {}) => {
      await using empty = await temporaryFolder();
      const options = { args, cwd: empty.path, clearEnv: true, env };
      return await endOf(new Deno.Command(clients.pathOf(name), options));
    },
  };
  return clients;
}
