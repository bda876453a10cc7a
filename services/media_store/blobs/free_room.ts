/**
 * [note: reserve] Room that uploads leave free on the store's disk. Deleting takes room before it
 * gives some, in the database's write-ahead log: on a disk that uploads had filled to the brim,
 * nothing could be deleted any more.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { LOG_LIMIT_BYTES } from "@fovea/storage/write_ahead_log";
import { statfs } from "node:fs/promises";

/** Twice what the log grows to before it is used anew. [note: bounded log] */
const RESERVE_BYTES = 2 * LOG_LIMIT_BYTES.power_cut;

/** @throws {Problem} `storage_full` where only the reserve is left on the disk that `path` is on */
export async function requireRoom(path: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(path);
  // Some file systems over the network don't tell.
  if (blocks === 0 || bavail * bsize >= RESERVE_BYTES) return;
  throw new Problem(
    "storage_full",
    `the store has ${bavail * bsize} bytes of room left: ${RESERVE_BYTES} are kept for deleting: ` +
      "delete entities or add room",
  );
}
