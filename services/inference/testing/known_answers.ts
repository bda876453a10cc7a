/**
 * What a fit worker answers to the canary, for workers in tests that have no models.
 *
 * @module
 */
import type { JobResult, TaskType } from "@fovea/contract";
import { CANARY_FACE } from "../tasks/face_detection.ts";

export const KNOWN_ANSWERS: Readonly<Record<TaskType, JobResult>> = {
  face_detection: {
    faces: [{ face_index: 0, bbox: CANARY_FACE, landmarks: null, confidence: 1 }],
    face_count: 1,
    image_width: 256,
    image_height: 256,
  },
  image_embedding: {
    embedding: [1],
    embedding_dimension: 1,
    stored_in_vector_db: true,
    collection: "image_embeddings",
    point_id: 0,
  },
};
