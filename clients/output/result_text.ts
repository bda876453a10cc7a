/**
 * Results as the clients print them.
 *
 * @module
 */
import type { EmbeddingResult, Face, FaceDetectionResult, Job } from "@fovea/contract";

/** How many numbers of an embedding are shown to a reader. */
const NUMBERS_SHOWN = 6;

/** One line of JSON with everything. */
export function asJson(file: string, job: Job): string {
  const { media_store_id, job_id, task_type, status, model, timings_ms, result } = job;
  return JSON.stringify({
    file,
    media_store_id,
    job_id,
    task_type,
    status,
    model,
    timings_ms,
    result,
  });
}

/** For a reader: a headline per picture, then a line per face, or the first numbers of a vector. */
export function asText(file: string, job: Job): string {
  const result = job.result as EmbeddingResult | FaceDetectionResult;
  const [facts, lines] = "faces" in result ? facesText(result) : embeddingText(result);
  if (job.model !== null) facts.push(job.model.name);
  if (job.timings_ms !== null) facts.push(`${Math.round(job.timings_ms.total)} ms`);
  return [`${file}: ${facts.join(", ")}`, ...lines].join("\n");
}

type Text = [facts: string[], lines: string[]];

function facesText({ faces, face_count, image_width, image_height }: FaceDetectionResult): Text {
  const count = face_count === 0 ? "no faces" : face_count === 1 ? "1 face" : `${face_count} faces`;
  return [[count, `${image_width} × ${image_height} pixels`], faces.map(faceLine)];
}

function faceLine({ face_index, bbox, confidence, landmarks }: Face): string {
  const [x, y, width, height] = [bbox.x, bbox.y, bbox.width, bbox.height].map(Math.round);
  const parts = [
    `x ${x}, y ${y}, ${width} × ${height}`,
    `confidence ${confidence.toFixed(2)}`,
  ];
  if (landmarks !== null) {
    const [leftEye, rightEye, nose, leftMouth, rightMouth] = landmarks.map(
      ([x, y]) => `(${Math.round(x)}, ${Math.round(y)})`,
    );
    parts.push(`eyes ${leftEye} ${rightEye}`, `nose ${nose}`, `mouth ${leftMouth} ${rightMouth}`);
  }
  return `  face ${face_index + 1}: ${parts.join("; ")}`;
}

function embeddingText({ embedding, embedding_dimension }: EmbeddingResult): Text {
  const shown = embedding.slice(0, NUMBERS_SHOWN).map((value) => value.toFixed(4));
  return [
    [`${embedding_dimension} numbers`],
    [`  ${shown.join("  ")}  … (all of them with --json)`],
  ];
}
