import { runTask, type TaskResult } from "@fovea/testing";

/** `deno task media-store` with options, as its user runs it. */
export function runMaintenance(dataDir: string, ...options: string[]): Promise<TaskResult> {
  return runTask("media-store", options, { DATA_DIR: dataDir });
}
