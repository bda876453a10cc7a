import type { ProblemCode } from "./problem.ts";

/** What can be asked of a picture, such as "face_detection"; `GET /info` lists what there is. */
export type TaskType = string;

/** `sync_failed`: the result is there, but media_store has not taken it yet. */
export const JOB_STATUSES = [
  "pending",
  "processing",
  "completed",
  "error",
  "sync_failed",
  "cancelled",
] as const;
export type JobStatus = typeof JOB_STATUSES[number];

/** Statuses that a job does not leave by itself. */
export function hasEnded(status: JobStatus): boolean {
  return status !== "pending" && status !== "processing";
}

/** What a job of face_detection may ask beyond the picture. */
export interface FaceDetectionOptions {
  /** Faces less sure than this are left out, 0…1; the model's own threshold where it isn't said. */
  min_confidence?: number | undefined;
  /** At least 1. */
  max_faces?: number | undefined;
}

/** Body of `POST /job/{task_type}`. */
export interface JobRequest extends FaceDetectionOptions {
  media_store_id: number;
  /** 0…10, higher first. */
  priority?: number | undefined;
  /**
   * A UUID of the client's choice, kept as it is written and compared without case: sent again with
   * the same body, it is the same job.
   */
  job_id?: string | undefined;
  /** A new job even where one for the same bytes, options, model and preprocessing is there. */
  force?: boolean | undefined;
}

/** Milliseconds each part of a job took, to a tenth where they were measured in a worker. */
export interface Timings {
  queue: number;
  fetch: number;
  decode: number;
  infer: number;
  total: number;
}

/** What computed a result. */
export interface ModelUsed {
  name: string;
  /** Of the weights, lower-case hex. */
  sha256: string;
  backend: string;
  /** Grows whenever preparing the picture, or reading the output, could give other numbers. */
  preprocess: number;
  /** Not told of by results that were computed before it was. */
  precision?: "fp32" | "int8";
}

export interface EmbeddingResult {
  /** 512 numbers, L2 norm 1. */
  embedding: number[];
  embedding_dimension: number;
  stored_in_vector_db: true;
  collection: "image_embeddings";
  /** The entity's id. */
  point_id: number;
}

/** Pixels of the picture as a viewer shows it, inside its borders. */
export interface BoundingBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Point = [x: number, y: number];

export interface Face {
  /** From 0, largest face first. */
  face_index: number;
  bbox: BoundingBox;
  /**
   * Left eye, right eye, nose, left and right corner of the mouth, left and right as seen in the
   * picture. Null where the model has none.
   */
  landmarks: Point[] | null;
  /** 0…1. */
  confidence: number;
}

export interface FaceDetectionResult {
  faces: Face[];
  face_count: number;
  image_width: number;
  image_height: number;
}

/** Results that clients know; other tasks have others. */
export type JobResult = EmbeddingResult | FaceDetectionResult;

/** A job as `GET /job/{job_id}` shows it. Times are ms since the epoch, UTC. */
export interface Job {
  job_id: string;
  task_type: TaskType;
  media_store_id: number;
  status: JobStatus;
  priority: number;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** How often it was tried; what the service itself broke off does not count. */
  attempt: number;
  max_attempts: number;
  error_message: string | null;
  error_code: ProblemCode | null;
  timings_ms: Timings | null;
  model: ModelUsed | null;
  /** Of the bytes that were looked at, lower-case hex; null before. */
  sha256: string | null;
  result: JobResult | null;
}
