/**
 * The SQL of vectors: the collection `image_embeddings`, one point an entity.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";

/** A vector, and what it was made of. */
export interface VectorPoint {
  entityId: number;
  /** The job that made it. */
  jobId: string;
  modelSha256: string;
  /** Of the bytes that were looked at. */
  sha256: string | null;
  /** See tasks/space.ts. */
  space: string | null;
  vector: readonly number[];
}

/** Keeps an entity's vector, in place of an older one. */
export async function storeVector(
  db: Kysely<Tables>,
  { entityId, jobId, modelSha256, sha256, space, vector }: VectorPoint,
): Promise<void> {
  const row = {
    job_id: jobId,
    model_sha256: modelSha256,
    sha256,
    space,
    vector: new Uint8Array(new Float32Array(vector).buffer),
  };
  await db.insertInto("image_embedding").values({ point_id: entityId, ...row })
    .onConflict((conflict) => conflict.column("point_id").doUpdateSet(row)).execute();
}
