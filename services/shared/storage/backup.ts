/**
 * What every backup takes: an empty folder, a copy that is in its place only once it is whole, and
 * databases as they are at one moment, while their service goes on.
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";

/** In one go: what is written meanwhile would else make SQLite begin anew, again and again. */
const ALL_PAGES = 1_000_000_000;

/** Makes the folder where it is missing. @throws {Error} where something is in it */
export async function claimEmpty(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  const first = [...Deno.readDirSync(path)][0];
  if (first === undefined) return;
  throw new Error(`${path} has "${first.name}" in it: name an empty folder, or a new one`);
}

/**
 * Fills a folder, which has its name only once everything in it is on the disk.
 *
 * @param path where no folder is
 * @param fill is given the folder to fill; where it fails, nothing of it stays
 */
export async function fillFolder<T>(
  path: string,
  fill: (partial: string) => Promise<T>,
): Promise<T> {
  const partial = `${path}.partial`;
  await Deno.mkdir(partial);
  try {
    const result = await fill(partial);
    await syncFolder(partial);
    await Deno.rename(partial, path);
    await syncFolder(`${path}/..`);
    return result;
  } catch (error) {
    await Deno.remove(partial, { recursive: true });
    throw error;
  }
}

/** Waits until the names in a folder are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

/** Copies a database as it is at one moment, also beside a process that writes it. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  await Deno.remove(to).catch(() => {});
  using source = new DatabaseSync(from, { readOnly: true });
  await backup(source, to, { rate: ALL_PAGES });
  using copy = new DatabaseSync(to);
  // One file, with nothing beside it; the service turns the log on again.
  copy.exec("pragma journal_mode = delete");
}
