import { faceDetection } from "./face_detection.ts";
import { imageEmbedding } from "./image_embedding.ts";
import { TaskRegistry } from "./registry.ts";

/** Every task this service knows. */
export const TASKS: TaskRegistry = new TaskRegistry([
  imageEmbedding,
  faceDetection,
]);
