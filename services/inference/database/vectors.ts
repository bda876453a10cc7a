/**
 * The table of vectors, of `search/`.
 *
 * @module
 */
import { sql } from "kysely";
import type { MigrationParts } from "./migrations.ts";

/** The vector store: the collection `image_embeddings`, a point an entity, the newest vector wins. */
export interface ImageEmbeddingTable {
  point_id: number;
  job_id: string;
  model_sha256: string;
  /** Of the bytes that were looked at; null in vectors of old versions. */
  sha256: string | null;
  /** See tasks/space.ts; null in vectors of old versions. */
  space: string | null;
  /** 512 × float32, little-endian. */
  vector: Uint8Array;
}

export interface VectorTables {
  image_embedding: ImageEmbeddingTable;
}

export const VECTOR_MIGRATIONS: MigrationParts = {
  async "0001_jobs_and_events"(db) {
    await sql`
      CREATE TABLE image_embedding (
        point_id INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL,
        model_sha256 TEXT NOT NULL,
        vector BLOB NOT NULL
      ) STRICT`.execute(db);
  },
  async "0004_results_of_bytes"(db) {
    for (const column of ["sha256", "space"]) {
      await sql`ALTER TABLE image_embedding ADD COLUMN ${sql.ref(column)} TEXT`.execute(db);
    }
  },
};
