import { Problem } from "@fovea/contract";

/** SQLite's result code "database or disk is full" (https://sqlite.org/rescode.html#full). */
const SQLITE_FULL = 13;

/** The store's folder is not where it was. See [note: still there]. */
export const storageMissing = () =>
  new Problem(
    "storage_missing",
    "the store's folders are not where they were when the service started: nothing is read or " +
      "written until DATA_DIR is back",
  );

/**
 * Runs what writes to the disk.
 *
 * @throws {Problem} `storage_full` where no room is left, `storage_missing` where a folder that was
 * there has gone; whatever else `action` throws, as it is
 */
export async function reportStorage<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code, errcode } = error as { code?: string; errcode?: number };
    if (code === "ENOSPC" || code === "EDQUOT" || errcode === SQLITE_FULL) {
      throw new Problem("storage_full", "the store has no room left: delete entities or add room");
    }
    if (error instanceof Deno.errors.NotFound) throw storageMissing();
    throw error;
  }
}
