/**
 * A backup of what all services keep, made while they run, whose parts fit together.
 *
 * [note: fitting backup] What inference keeps is copied first, and media_store then: so the copy of
 * media_store has come at least as far as the one of inference has seen. An entity without a job only
 * needs another one; a result of an entity that the store doesn't have yet might come to be another
 * picture's. See [note: diverged].
 *
 * @module
 */
import { claimEmpty, copyDatabase, fillFolder } from "@fovea/storage/backup";
import { type BackedUp, backUpStore } from "../media_store/maintenance/backup.ts";

export interface Backup {
  /** Null where DATA_DIR has no such folder. */
  mediaStore: BackedUp | null;
  inference: boolean;
}

/**
 * @param target a folder that is empty or new; afterwards it can serve as DATA_DIR
 * @throws {Error} where there is nothing to back up, or it can't be copied; nothing is left of the
 * backup then
 */
export async function backUp(dataDir: string, target: string): Promise<Backup> {
  const database = `${dataDir}/inference/inference.sqlite`;
  const [hasInference, hasStore] = await Promise.all([
    isThere(database),
    isThere(`${dataDir}/media_store/entities.sqlite`),
  ]);
  if (!hasInference && !hasStore) {
    throw new Error(`there is nothing to back up in ${dataDir}: set DATA_DIR`);
  }
  await claimEmpty(target);
  try {
    if (hasInference) {
      await fillFolder(
        `${target}/inference`,
        (partial) => copyDatabase(database, `${partial}/inference.sqlite`),
      );
    }
    const mediaStore = hasStore
      ? await backUpStore(`${dataDir}/media_store`, `${target}/media_store`)
      : null;
    return { mediaStore, inference: hasInference };
  } catch (error) {
    for (const { name } of [...Deno.readDirSync(target)]) {
      await Deno.remove(`${target}/${name}`, { recursive: true });
    }
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
