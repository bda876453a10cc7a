import type { Logger } from "@fovea/process/log";
import { watchFile } from "@fovea/storage/opened_file";
import { RunningTime } from "@fovea/storage/running_time";
import { openSqlite } from "@fovea/storage/sqlite";
import { UpdateCopy } from "@fovea/storage/update_copy";
import type { Kysely } from "kysely";
import { MIGRATIONS, type Tables } from "../database/tables.ts";

export interface Database {
  db: Kysely<Tables>;
  runningTime: RunningTime;
  updateCopy: UpdateCopy;
}

/** @throws {SettingsError} where the file can't be used */
export async function openDatabase(
  folder: string,
  log: Logger,
): Promise<Database & AsyncDisposable> {
  await using cleanup = new AsyncDisposableStack();
  const path = `${folder}/inference.sqlite`;
  const db = cleanup.use(
    await openSqlite<Tables>(
      path,
      MIGRATIONS,
      "crash",
      (copy) => log.info({ copy }, "database copied before its tables are brought up to date"),
    ),
  );
  cleanup.use(watchFile(path, log));
  const runningTime = cleanup.use(await RunningTime.open({ db, log }));
  const updateCopy = cleanup.use(await UpdateCopy.open({ path, db, runningTime, log }));
  const owned = cleanup.move();
  return { db, runningTime, updateCopy, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
