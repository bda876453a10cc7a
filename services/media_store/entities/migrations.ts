/**
 * The tables of media_store, step by step. A step that was ever released is never changed.
 *
 * @module
 */
import type { Item } from "@fovea/contract";
import { type Generated, type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { searchTextOf } from "./search_text.ts";

/** A row of `entities`: an Item with SQLite's 0 and 1 for false and true. */
export interface EntityRow
  extends Omit<Item, "id" | "is_collection" | "is_deleted" | "shown_by_preview"> {
  id: Generated<number>;
  is_collection: number;
  is_deleted: number;
  shown_by_preview: number | null;
  /** What searches look into; see search_text.ts. */
  search_text: string;
}

/** A row of `entity_versions`: what `entities` said of an entity since a change, the latest included. */
export interface VersionRow extends Omit<EntityRow, "id"> {
  id: number;
  transaction_id: number;
}

export interface Tables {
  entities: EntityRow;
  entity_versions: VersionRow;
  /** One row: which store this is. */
  store: { id: number; store_id: string };
  /** Every transaction that changed entities, from 1; 0 is the empty store. See transactions.ts. */
  transactions: { id: Generated<number>; tag: Generated<string> };
  /** Ids of entities that were deleted for good, and by which transaction. */
  tombstones: { id: number; transaction_id: number };
  /** FTS5 index over `entities.search_text`, kept by triggers. */
  entity_search: { rowid: number; text: string };
  /** One row, written whenever somebody asks whether the database can be written. */
  readiness: { id: number; checked_at: number };
}

export const migrations: Record<string, Migration> = {
  "001_entities": {
    async up(db) {
      await db.schema
        .createTable("entities")
        // AUTOINCREMENT: an id is never given twice, so that a result which inference keeps under it
        // can't come to belong to another picture.
        .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
        .addColumn("is_collection", "integer", (column) => column.notNull())
        .addColumn("label", "text")
        .addColumn("description", "text")
        .addColumn(
          "parent_id",
          "integer",
          (column) => column.references("entities.id").onDelete("set null"),
        )
        .addColumn("added_date", "integer", (column) => column.notNull())
        .addColumn("updated_date", "integer", (column) => column.notNull())
        .addColumn("is_deleted", "integer", (column) => column.notNull().defaultTo(0))
        .addColumn("create_date", "integer")
        .addColumn("file_size", "integer")
        .addColumn("height", "integer")
        .addColumn("width", "integer")
        .addColumn("duration", "real")
        .addColumn("mime_type", "text")
        .addColumn("type", "text")
        .addColumn("extension", "text")
        .addColumn("md5", "text")
        .addColumn("sha256", "text", (column) => column.unique())
        .addColumn("file_path", "text", (column) => column.unique())
        .addColumn("version", "integer", (column) => column.notNull().defaultTo(1))
        .modifyEnd(sql`strict`)
        .execute();
      await db.schema.createIndex("entities_parent").on("entities").column("parent_id").execute();
      await db.schema
        .createTable("readiness")
        .addColumn("id", "integer", (column) => column.primaryKey())
        .addColumn("checked_at", "integer", (column) => column.notNull())
        .modifyEnd(sql`strict`)
        .execute();
    },
  },
  "002_versions": {
    async up(db) {
      await addSearchText(db);
      await addVersions(db);
      await addListingIndexes(db);
    },
  },
  "003_zone_and_preview": {
    async up(db) {
      for (const table of ["entities", "entity_versions"]) {
        for (const column of ["create_offset_minutes", "shown_by_preview"]) {
          await db.schema.alterTable(table).addColumn(column, "integer").execute();
        }
      }
    },
  },
  "004_identity": {
    up: addIdentity,
  },
  "005_changes": {
    up: addChanges,
  },
};

// deno-lint-ignore no-explicit-any -- tables as they were at this step, and not as they are today
type AnyTables = Kysely<any>;

async function addSearchText(db: AnyTables): Promise<void> {
  await db.schema.alterTable("entities")
    .addColumn("search_text", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  const rows = await db.selectFrom("entities").select(["id", "label", "description"]).execute();
  for (const { id, label, description } of rows) {
    const search_text = searchTextOf({ label, description });
    await db.updateTable("entities").set({ search_text }).where("id", "=", id).execute();
  }
  // Parts of words are found by their trigrams (https://sqlite.org/fts5.html#the_trigram_tokenizer);
  // the text itself is in `entities` and needs no second copy.
  await sql`
    create virtual table entity_search using fts5(
      text, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
    )`.execute(db);
  await sql`insert into entity_search (rowid, text) select id, search_text from entities`.execute(
    db,
  );
  const forget = sql`delete from entity_search where rowid = old.id;`;
  const learn = sql`insert into entity_search (rowid, text) values (new.id, new.search_text);`;
  for (
    const trigger of [
      sql`create trigger entity_search_insert after insert on entities begin ${learn} end`,
      sql`
        create trigger entity_search_update after update of search_text on entities
        when old.search_text is not new.search_text begin ${forget} ${learn} end`,
      sql`create trigger entity_search_delete after delete on entities begin ${forget} end`,
    ]
  ) await trigger.execute(db);
}

async function addVersions(db: AnyTables): Promise<void> {
  await sql`
    create table entity_versions (
      id integer not null references entities (id) on delete cascade,
      version integer not null,
      transaction_id integer not null,
      is_collection integer not null,
      label text,
      description text,
      parent_id integer,
      added_date integer not null,
      updated_date integer not null,
      is_deleted integer not null,
      create_date integer,
      file_size integer,
      height integer,
      width integer,
      duration real,
      mime_type text,
      type text,
      extension text,
      md5 text,
      sha256 text,
      file_path text,
      search_text text not null,
      primary key (id, version)
    ) strict`.execute(db);
  await db.schema.createIndex("entity_versions_sha256").on("entity_versions").column("sha256")
    .execute();
  // With the size, so that what all files hold is summed up in the index alone.
  await db.schema.createIndex("entity_versions_file").on("entity_versions")
    .columns(["file_path", "file_size"]).execute();
  await db.schema
    .createTable("transaction_counter")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("last", "integer", (column) => column.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  // Until now entities did not change: adding each was a transaction, and they are numbered alike.
  await sql`
    insert into entity_versions
    select id, version, id, is_collection, label, description, parent_id, added_date, updated_date,
      is_deleted, create_date, file_size, height, width, duration, mime_type, type, extension, md5,
      sha256, file_path, search_text
    from entities`.execute(db);
  await sql`
    insert into transaction_counter (id, last) select 1, coalesce(max(id), 0) from entities`
    .execute(db);
}

/**
 * Each index has all that a list can be filtered by, in the order of ids: whatever is asked for,
 * pages are found and counted in the index alone.
 */
async function addListingIndexes(db: AnyTables): Promise<void> {
  const filtered = ["id", "is_deleted", "is_collection", "type", "mime_type"];
  await db.schema.dropIndex("entities_parent").execute();
  await db.schema.createIndex("entities_listed").on("entities").columns(filtered).execute();
  await db.schema.createIndex("entities_of_parent").on("entities")
    .columns(["parent_id", ...filtered]).execute();
  await db.schema.createIndex("entity_versions_listed").on("entity_versions")
    .columns(["version", ...filtered, "parent_id"]).execute();
}

/** Of the transactions that were counted before, only the last one has a tag. */
async function addIdentity(db: AnyTables): Promise<void> {
  await sql`create table store (id integer primary key, store_id text not null) strict`.execute(db);
  await sql`insert into store values (1, ${crypto.randomUUID()})`.execute(db);
  await sql`
    create table transactions (
      id integer primary key,
      tag text not null default (lower(hex(randomblob(8))))
    ) strict`.execute(db);
  await sql`insert into transactions (id) select last from transaction_counter`.execute(db);
  await db.schema.dropTable("transaction_counter").execute();
}

/** What the feed of changes is read from, see changes/repository.ts. */
async function addChanges(db: AnyTables): Promise<void> {
  await sql`
    create table tombstones (id integer primary key, transaction_id integer not null) strict`
    .execute(db);
  await db.schema.createIndex("tombstones_made").on("tombstones")
    .columns(["transaction_id", "id"]).execute();
  await db.schema.createIndex("entity_versions_made").on("entity_versions")
    .columns(["transaction_id", "id"]).execute();
  // Those that were made before transactions had tags get theirs now.
  await sql`
    insert or ignore into transactions (id) select distinct transaction_id from entity_versions`
    .execute(db);
}
