/**
 * SQLite through Kysely. [note: one writer] Each database file has one connection, which one process
 * holds: SQLite 3.50 can, very rarely, damage a write-ahead log that two connections reset at once.
 *
 * @module
 */
import { Kysely, type SqliteDatabase, SqliteDialect } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/**
 * Opens the file, creating it where it is missing, and brings its tables up to date.
 *
 * Writes survive a power cut once their transaction has ended (WAL, synchronous=FULL).
 *
 * @param migrations by name, applied in alphabetical order
 * @throws {Error} where the file can't be opened, or was written by a newer version
 */
export async function openSqlite<Tables>(
  path: string,
  migrations: Record<string, Migration>,
): Promise<Kysely<Tables>> {
  const connection = new DatabaseSync(path);
  for (
    const pragma of [
      "journal_mode = WAL",
      "synchronous = FULL",
      "foreign_keys = ON",
      "busy_timeout = 5000",
    ]
  ) connection.exec(`PRAGMA ${pragma}`);
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapt(connection) }) });
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  }).migrateToLatest();
  if (error !== undefined) {
    await db.destroy();
    throw new Error(`Cannot open the database ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return db;
}

/** Gives node:sqlite the face that Kysely's dialect knows (better-sqlite3's). */
function adapt(connection: DatabaseSync): SqliteDatabase {
  return {
    close: () => connection.close(),
    prepare(sql) {
      const statement = connection.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...parameters as SQLInputValue[]),
        run: (parameters) => statement.run(...parameters as SQLInputValue[]),
        iterate: (parameters) =>
          statement.iterate(...parameters as SQLInputValue[]) as IterableIterator<unknown>,
      };
    },
  };
}
