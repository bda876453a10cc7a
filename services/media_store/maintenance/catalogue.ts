/**
 * What the database says that the store should have, read beside a service that may be running.
 *
 * [note: one writer] still holds: this connection only reads, and so never resets the write-ahead
 * log.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** A file that versions of entities need. */
export interface NeededFile {
  /** `files/…` */
  path: string;
  /** Lower-case hex. */
  sha256: string;
  /** Bytes. */
  size: number;
  /** The first entity that needs it. */
  entityId: number;
}

const NEEDED = `
  select file_path as path, sha256, file_size as size, min(id) as entityId from entity_versions
  where file_path is not null`;

export class Catalogue implements Disposable {
  readonly #db: DatabaseSync;

  /** @throws {Error} where there is no database, or it is of an older version of media_store */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true });
    const versions = this.#db.prepare(
      "select name from sqlite_schema where name = 'entity_versions'",
    );
    if (versions.get() !== undefined) return;
    this.#db.close();
    throw new Error("its database is of an older version: start media_store once, which renews it");
  }

  /** Every file once; twice or more only where rows contradict each other. */
  files(): NeededFile[] {
    const rows = this.#db.prepare(`${NEEDED} group by file_path, sha256, file_size`).all();
    return rows.map((row) => ({ ...row })) as unknown as NeededFile[];
  }

  /** Whether a version needs this path just now. */
  needs(path: string): boolean {
    return this.#db.prepare("select 1 from entity_versions where file_path = ? limit 1")
      .get(path) !== undefined;
  }

  /** What SQLite finds wrong in the database itself, and entities that aren't as their last version. */
  faults(): string[] {
    const damage = this.#db.prepare("pragma integrity_check(20)").all()
      .map((row) => String(row.integrity_check)).filter((line) => line !== "ok");
    const strays = this.#db.prepare(`
      select entities.id from entities left join entity_versions as last
        on last.id = entities.id and last.version = entities.version
      where last.id is null or last.file_path is not entities.file_path`).all();
    return [...damage, ...strays.map(({ id }) => `entity ${id} is not as its last version`)];
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
