/**
 * A backup: a copy of the store as it was at one moment, taken while the service goes on.
 *
 * The database is copied by SQLite's own backup, in one read. A file that the copy names may have
 * been deleted before it could be copied; therefore files are copied first, and where one is missing
 * after all, the database is copied once more: what was deleted is not in it any longer. Files never
 * change, so that it doesn't matter when they are copied.
 *
 * @module
 */
import { copyDatabase, fillFolder, syncFolder } from "@fovea/storage/backup";
import { Catalogue, type NeededFile } from "./catalogue.ts";

export interface BackedUp {
  files: number;
  bytes: number;
  /** Files that rows name and the store itself doesn't have. */
  lost: NeededFile[];
}

/** Each takes some 50 ms. Only a store in which new files are deleted at once takes more than two. */
const MAX_ROUNDS = 100;

/**
 * @param folder of the store
 * @param target where no folder is yet
 * @throws {Error} where it can't be copied; nothing is left of the copy then
 */
export function backUpStore(folder: string, target: string): Promise<BackedUp> {
  return fillFolder(target, async (partial) => {
    await Deno.mkdir(`${partial}/files`);
    const done = await copyStore(folder, partial);
    await syncFolder(`${partial}/files`);
    return done;
  });
}

async function copyStore(from: string, to: string): Promise<BackedUp> {
  for (const { name } of Deno.readDirSync(`${from}/files`)) {
    await copyFile(from, to, `files/${name}`);
  }
  let lostBefore = "";
  for (let round = 1;; round++) {
    await copyDatabase(`${from}/entities.sqlite`, `${to}/entities.sqlite`);
    const needed = neededBy(`${to}/entities.sqlite`);
    const lost: NeededFile[] = [];
    for (const file of needed) if (!await copyFile(from, to, file.path)) lost.push(file);
    // What was deleted meanwhile is missing once; what is missing again is lost.
    const lostNow = lost.map(({ path }) => path).join("\n");
    if (lostNow !== lostBefore && lostNow !== "" && round < MAX_ROUNDS) {
      lostBefore = lostNow;
      continue;
    }
    await removeOthers(to, needed);
    const files = needed.filter((file) => !lost.includes(file));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return { files: files.length, bytes, lost };
  }
}

function neededBy(database: string): NeededFile[] {
  using catalogue = new Catalogue(database);
  return catalogue.files();
}

/** @returns whether the file is there now */
async function copyFile(from: string, to: string, path: string): Promise<boolean> {
  const [source, copy] = [`${from}/${path}`, `${to}/${path}`];
  try {
    // On the same disk it takes no room, and stays when the store deletes its own.
    await Deno.link(source, copy);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return true;
    if (error instanceof Deno.errors.NotFound) return false;
  }
  try {
    await Deno.copyFile(source, copy);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  using written = await Deno.open(copy, { write: true });
  await written.sync();
  return true;
}

/** Removes what came too late to be in the database's copy, or had been deleted before it. */
async function removeOthers(to: string, needed: NeededFile[]): Promise<void> {
  const paths = new Set(needed.map(({ path }) => path));
  for (const { name } of [...Deno.readDirSync(`${to}/files`)]) {
    if (!paths.has(`files/${name}`)) await Deno.remove(`${to}/files/${name}`);
  }
}
