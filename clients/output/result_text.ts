/**
 * Results as the clients print them.
 *
 * @module
 */
import type {
  EmbeddingResult,
  Face,
  FaceDetectionResult,
  Job,
  JobResult,
  TaskType,
} from "@fovea/contract";
import type { Outcome } from "./outcome.ts";

/** How many numbers of an embedding are printed for a reader. */
const PRINTED_NUMBERS = 6;

/** One line of JSON with everything; `error_code` and `error_message` only where something failed. */
export function asJson({ file, stored, jobId, job, problem }: Outcome, taskType: TaskType): string {
  return JSON.stringify({
    file,
    media_store_id: job?.media_store_id ?? stored?.id ?? null,
    job_id: job?.job_id ?? jobId ?? null,
    task_type: taskType,
    status: job?.status ?? null,
    sha256: job?.sha256 ?? null,
    model: job?.model ?? null,
    timings_ms: job?.timings_ms ?? null,
    result: job?.result ?? null,
    ...(problem !== undefined && { error_code: problem.code, error_message: problem.message }),
  });
}

/** For a reader: a headline per picture, then a line per face, or the first numbers of a vector. */
export function asText(file: string, job: Job & { result: JobResult }): string {
  const { result } = job;
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
  const first = embedding.slice(0, PRINTED_NUMBERS).map((value) => value.toFixed(4));
  return [
    [`${embedding_dimension} numbers`],
    [`  ${first.join("  ")}  … (all of them with --json)`],
  ];
}
