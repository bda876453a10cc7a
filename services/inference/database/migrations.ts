/**
 * Migrations change tables of several owners at once; each owner has its part of them beside its
 * tables.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What one owner's tables need of each migration, by the migration's name. */
export type MigrationParts = Readonly<Record<string, (db: Kysely<unknown>) => Promise<void>>>;

/**
 * Puts migrations together.
 *
 * @param owners in the order in which their parts of one migration are run
 */
export function migrationsOf(owners: readonly MigrationParts[]): Record<string, Migration> {
  const names = [...new Set(owners.flatMap((parts) => Object.keys(parts)))].sort();
  const up = (name: string) => async (db: Kysely<unknown>) => {
    for (const parts of owners) await parts[name]?.(db);
  };
  return Object.fromEntries(names.map((name) => [name, { up: up(name) }]));
}
