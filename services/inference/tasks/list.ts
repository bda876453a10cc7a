import type { TaskType } from "@fovea/contract";
import { faceDetection } from "./face_detection.ts";
import { imageEmbedding } from "./image_embedding.ts";
import type { Task } from "./task.ts";

/** Every task this service knows. */
export const TASKS: Readonly<Record<TaskType, Task>> = {
  face_detection: faceDetection,
  image_embedding: imageEmbedding,
};
