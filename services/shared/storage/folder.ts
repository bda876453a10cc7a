/**
 * Each service keeps to a folder of its own in DATA_DIR, and only one process at a time: a second one
 * would throw away what the first has just begun to write. See also [note: one writer].
 *
 * @module
 */
import { systemWords } from "@fovea/process/file_error";
import { SettingsError } from "@fovea/process/settings";

/** A folder that this process alone uses until it disposes of it, or ends in whatever way. */
export interface OwnFolder extends Disposable {
  path: string;
}

/**
 * Makes the folder where it is missing.
 *
 * @throws {SettingsError} where it can't be written, or another process uses it
 */
export async function claimFolder(dataDir: string, name: string): Promise<OwnFolder> {
  const path = `${dataDir}/${name}`;
  const lock = await openLock(path);
  if (!await lock.tryLock(true)) {
    lock.close();
    const pid = await Deno.readTextFile(`${path}/lock`);
    throw new SettingsError(
      `Cannot start: another ${name}, process ${pid}, uses ${path}: end that one or set DATA_DIR`,
    );
  }
  // For people: what keeps others out is the lock, which ends with the process.
  await lock.truncate();
  await lock.write(new TextEncoder().encode(String(Deno.pid)));
  return { path, [Symbol.dispose]: () => lock.close() };
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(path, { recursive: true });
    return await Deno.open(`${path}/lock`, { write: true, create: true });
  } catch (error) {
    const reason = systemWords(error);
    throw new SettingsError(
      `Cannot start: the folder ${path} can't be used: ${reason}: set DATA_DIR`,
    );
  }
}
