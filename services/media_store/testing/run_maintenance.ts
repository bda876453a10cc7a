import { type ProgramEnd, runTask } from "@fovea/testing";

/** `deno task media-store` with options, as its user runs it. */
export function runMaintenance(dataDir: string, ...options: string[]): Promise<ProgramEnd> {
  return runTask("media-store", options, { DATA_DIR: dataDir });
}
