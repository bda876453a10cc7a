/**
 * SQLite through Kysely. [note: one writer] Each database file has one connection, which one process
 * holds: SQLite 3.50 can, very rarely, damage a write-ahead log that two connections reset at once.
 *
 * @module
 */
import { Kysely, SqliteAdapter, type SqliteDatabase, SqliteDialect } from "kysely";
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from "kysely/migration";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { SettingsError } from "@fovea/process/settings";
import { OpenedFile } from "./opened_file.ts";
import { RUNNING_TIME_TABLE } from "./running_time.ts";
import { IdleCheckpoint, logPragmas, type Surviving } from "./write_ahead_log.ts";

/**
 * Opens the file, creating it where it is missing, and brings its tables up to date. Before tables that
 * are there are changed, the whole file is copied beside it, see {@link copyOf}: with that copy the
 * older version can be started again.
 *
 * @param migrations by name, applied in alphabetical order
 * @param surviving what a transaction that has ended outlives: `power_cut` waits for the disk each time
 *   (WAL, synchronous=FULL). `crash`, of the process by whatever means, does not (synchronous=NORMAL):
 *   after a power cut the file is whole, but the last moments before it may be missing.
 * @param onCopied told where the copy is, once one was made
 * @throws {SettingsError} where the file can't be used or copied, or was written by a newer version
 */
export async function openSqlite<Tables>(
  path: string,
  migrations: Record<string, Migration>,
  surviving: Surviving = "power_cut",
  onCopied: (copy: string) => void = () => {},
): Promise<Kysely<Tables>> {
  await refuseEmpty(path);
  using cleanup = new DisposableStack();
  try {
    const connection = new DatabaseSync(path);
    cleanup.defer(() => connection.close());
    for (
      const pragma of [
        ...logPragmas(surviving),
        `synchronous = ${surviving === "power_cut" ? "FULL" : "NORMAL"}`,
        "foreign_keys = ON",
        // Waiting holds up the whole process; who has locked the file should not be there at all.
        "busy_timeout = 250",
      ]
    ) connection.exec(`PRAGMA ${pragma}`);
    const applied = appliedMigrations(connection);
    refuseNewer(applied, path, migrations);
    if (applied.length > 0 && Object.keys(migrations).some((name) => !applied.includes(name))) {
      await copy(connection, path);
      onCopied(copyOf(path));
      connection.exec(`${RUNNING_TIME_TABLE}; UPDATE running_time SET copy_since_ms = NULL`);
    }
    connection.exec(RUNNING_TIME_TABLE);
    const checkpoint = cleanup.use(new IdleCheckpoint(connection));
    const file = path === IN_MEMORY ? undefined : new OpenedFile(path);
    const database = adapt({ connection, path, file, checkpoint });
    const db = new Kysely<Tables>({ dialect: new Dialect({ database }) });
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(migrations) },
    }).migrateToLatest();
    if (error !== undefined) throw error;
    cleanup.move();
    return db;
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    if (isDamage(error)) throw new DamagedDatabase(path, error);
    throw new SettingsError(
      `Cannot start: the database ${path} can't be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** A file of which some pages are not what SQLite wrote. */
export class DamagedDatabase extends SettingsError {
  override name = "DamagedDatabase";

  constructor(path: string, cause: unknown) {
    super(
      `Cannot go on: the database ${path} is damaged (${(cause as Error).message}): stop the ` +
        "service, and put a backup of all DATA_DIR in its place",
      { cause },
    );
  }
}

/** SQLITE_CORRUPT, extended codes included (https://sqlite.org/rescode.html). */
function isDamage(error: unknown): boolean {
  const { errcode, message } = error as { errcode?: number; message: string };
  // Where a statement can't even be prepared, Deno 2.7 gives no code.
  if (errcode === undefined) return message === "database disk image is malformed";
  return (errcode & 0xff) === 11;
}

/** A database has a header from its first moment; an empty file is what is left of one that was lost. */
async function refuseEmpty(path: string): Promise<void> {
  const size = await Deno.stat(path).then(({ size }) => size, () => undefined);
  if (size !== 0) return;
  throw new SettingsError(
    `Cannot start: the database ${path} is empty: put a backup of all DATA_DIR in its place, ` +
      "or remove the file to start with nothing",
  );
}

/** Where the file is copied before its tables are changed; the next change replaces the copy. */
export function copyOf(path: string): string {
  return `${path}.before-update`;
}

async function copy(connection: DatabaseSync, path: string): Promise<void> {
  // Named only when whole.
  const part = `${copyOf(path)}.part`;
  await Deno.remove(part).catch(() => {});
  try {
    // All that the log holds goes to the file, which nobody else writes. [note: one writer]
    connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    await Deno.copyFile(path, part);
    using file = await Deno.open(part, { write: true });
    await file.sync();
    await Deno.rename(part, copyOf(path));
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw new Error(
      `before its tables are changed it is to be copied: ${(error as Error).message}`,
    );
  }
}

/** By name, in the order in which they were applied; none of a file that is new. */
function appliedMigrations(connection: DatabaseSync): string[] {
  const tables = connection.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?",
  );
  if (tables.get(DEFAULT_MIGRATION_TABLE) === undefined) return [];
  const rows = connection.prepare(`SELECT name FROM ${DEFAULT_MIGRATION_TABLE} ORDER BY name`)
    .all() as { name: string }[];
  return rows.map(({ name }) => name);
}

/** Tables that a newer version has changed may mean something else by now. */
function refuseNewer(
  applied: string[],
  path: string,
  migrations: Record<string, Migration>,
): void {
  const unknown = applied.filter((name) => !(name in migrations));
  if (unknown.length === 0) return;
  throw new SettingsError(
    `Cannot start: the database ${path} was written by a newer version of this service, which ` +
      `knows of ${unknown.join(", ")}: start that version, or set DATA_DIR to another folder`,
  );
}

/** Kysely doesn't count on it, but in SQLite tables change within a transaction too: all or nothing. */
class Dialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    }();
  }
}

/** SQLite's name for a database without a file. */
const IN_MEMORY = ":memory:";

/** How many statements are kept prepared; the queries of a service are far fewer. */
const MAX_STATEMENTS = 500;

interface Opened {
  connection: DatabaseSync;
  path: string;
  /** Undefined where there is none. */
  file: OpenedFile | undefined;
  checkpoint: IdleCheckpoint;
}

/** Gives node:sqlite the face that Kysely's dialect knows (better-sqlite3's). */
function adapt({ connection, path, file, checkpoint }: Opened): SqliteDatabase {
  // Kysely prepares anew for each query. What a statement holds outside JavaScript's heap stays
  // until a garbage collection that nothing presses for, so each one is prepared once.
  const statements = new Map<string, { statement: StatementSync; reader: boolean }>();
  const prepared = (sql: string) => {
    let known = statements.get(sql);
    if (known === undefined) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      const statement = connection.prepare(sql);
      known = { statement, reader: statement.columns().length > 0 };
      statements.set(sql, known);
    }
    return known;
  };
  /** Whether this makes something last: by itself, or at the end of a transaction. */
  const lasts = (sql: string) =>
    sql === "commit" || !connection.isTransaction && /^\s*(insert|update|delete)\b/i.test(sql);
  /**
   * @throws {DamagedDatabase} in place of SQLite's own words for that
   * @throws {Problem} `storage_missing`, see [note: still there]
   */
  const attempt = <Result>(sql: string, work: () => Result): Result => {
    try {
      if (!lasts(sql)) return work();
      file?.require();
      const result = work();
      checkpoint.wake();
      return result;
    } catch (error) {
      throw isDamage(error) ? new DamagedDatabase(path, error) : error;
    }
  };
  return {
    close: () => {
      checkpoint[Symbol.dispose]();
      // SQLite would remove the log of whatever database is in its place.
      if (file?.isThere ?? true) connection.close();
    },
    prepare(sql) {
      const { statement, reader } = attempt("", () => prepared(sql));
      return {
        reader,
        all: (parameters) => attempt(sql, () => statement.all(...parameters as SQLInputValue[])),
        run: (parameters) => {
          // Of some errors, as of a full disk, SQLite rolls back by itself (https://sqlite.org/lang_transaction.html).
          // To be told that there is nothing to roll back would hide what went wrong.
          if (sql === "rollback" && !connection.isTransaction) {
            return { changes: 0, lastInsertRowid: 0 };
          }
          return attempt(sql, () => statement.run(...parameters as SQLInputValue[]));
        },
        iterate: (parameters) =>
          statement.iterate(...parameters as SQLInputValue[]) as IterableIterator<unknown>,
      };
    },
  };
}
