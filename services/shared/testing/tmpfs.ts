/**
 * A disk of a few megabytes, to be filled.
 *
 * @module
 */
import type { Need } from "./need.ts";
import { endOf } from "./program_end.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** A mounted file system. Disposing of it unmounts it, and all that is in it is gone. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await endOf(program, { args })).code === 0;
  } catch {
    return false;
  }
}

async function mount(megabytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  if (!await run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder.path)) {
    await folder[Symbol.asyncDispose]();
    throw new Error("Cannot mount a tmpfs: only root may");
  }
  return {
    path: folder.path,
    [Symbol.asyncDispose]: async () => {
      await run("umount", folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function mayMount(): Promise<boolean> {
  try {
    await (await mount(1))[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}

/** Who may mount file systems. */
export const tmpfs: Need & { mount: typeof mount } = {
  isThere: await mayMount(),
  what: "to be root, to mount a small disk",
  mount,
};
