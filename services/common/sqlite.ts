/**
 * SQLite through Kysely. [note: one writer] Each database file has one connection, which one process
 * holds: SQLite 3.50 can, very rarely, damage a write-ahead log that two connections reset at once.
 *
 * @module
 */
import { Kysely, SqliteAdapter, type SqliteDatabase, SqliteDialect } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

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
  const db = new Kysely<Tables>({ dialect: new Dialect({ database: adapt(connection) }) });
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

/** How many statements are kept prepared; the queries of a service are far fewer. */
const MAX_STATEMENTS = 500;

/** Gives node:sqlite the face that Kysely's dialect knows (better-sqlite3's). */
function adapt(connection: DatabaseSync): SqliteDatabase {
  // Kysely prepares anew for each query. What a statement holds outside JavaScript's heap stays
  // until a garbage collection that nothing presses for, so each one is prepared once.
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      statement = connection.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  return {
    close: () => connection.close(),
    prepare(sql) {
      const statement = prepared(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...parameters as SQLInputValue[]),
        run: (parameters) => {
          // Of some errors, as of a full disk, SQLite rolls back by itself (https://sqlite.org/lang_transaction.html).
          // To be told that there is nothing to roll back would hide what went wrong.
          if (sql === "rollback" && !connection.isTransaction) {
            return { changes: 0, lastInsertRowid: 0 };
          }
          return statement.run(...parameters as SQLInputValue[]);
        },
        iterate: (parameters) =>
          statement.iterate(...parameters as SQLInputValue[]) as IterableIterator<unknown>,
      };
    },
  };
}
