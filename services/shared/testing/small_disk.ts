/**
 * A disk that is soon full, in memory, for tests of what then happens.
 *
 * @module
 */
import type { Need } from "./need.ts";
import { endOf } from "./program_end.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** Disposing of it takes the disk away, with all that is on it. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
}

/** @throws {Error} with what `mount` said, where it can't be done */
export async function mountSmallDisk(bytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  try {
    await run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder.path);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await run("umount", folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await endOf(program, { args });
  if (code !== 0) throw new Error(stderr.trim());
}

async function canMount(): Promise<boolean> {
  try {
    await using _disk = await mountSmallDisk(1024 * 1024);
    return true;
  } catch {
    return false;
  }
}

export const smallDisk: Need = {
  isThere: await canMount(),
  what: "root, to mount a small disk",
};
