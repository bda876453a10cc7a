import { Problem } from "@fovea/contract";

/** SQLite's result code "database or disk is full" (https://sqlite.org/rescode.html#full). */
const SQLITE_FULL = 13;

/**
 * Runs what writes to the disk.
 *
 * @throws {Problem} `storage_full` where no room is left; whatever else `action` throws, as it is
 */
export async function reportFull<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code, errcode } = error as { code?: string; errcode?: number };
    if (code === "ENOSPC" || code === "EDQUOT" || errcode === SQLITE_FULL) {
      throw new Problem("storage_full", "the store has no room left: delete entities or add room");
    }
    throw error;
  }
}
