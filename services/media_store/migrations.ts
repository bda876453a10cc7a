/**
 * The tables of media_store, step by step. A step that was ever released is never changed.
 *
 * @module
 */
import type { MediaType } from "@fovea/contract";
import { type Generated, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** A row of `entities`: an Item with SQLite's 0 and 1 for false and true. */
export interface EntityRow {
  id: Generated<number>;
  is_collection: number;
  label: string | null;
  description: string | null;
  parent_id: number | null;
  added_date: number;
  updated_date: number;
  is_deleted: number;
  create_date: number | null;
  file_size: number | null;
  height: number | null;
  width: number | null;
  duration: number | null;
  mime_type: string | null;
  type: MediaType | null;
  extension: string | null;
  md5: string | null;
  sha256: string | null;
  file_path: string | null;
  version: number;
}

export interface Tables {
  entities: EntityRow;
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
};
