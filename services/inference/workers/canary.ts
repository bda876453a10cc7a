/**
 * [note: canary] A picture whose answer is known, shown to each worker when it has loaded a model and
 * every few minutes after: a worker is fit when it gives that answer, not when it merely lives.
 *
 * The canary takes its turn after all jobs, but is no job: it comes from no client, so it is in no
 * list, has no event and leaves no vector. It neither brings up a worker that has been ended for
 * having nothing to do, nor keeps one from that end.
 *
 * The picture is a cut-out of NASA's portrait of Eileen Collins (public domain).
 *
 * @module
 */
import type { BoundingBox, JobResult } from "@fovea/contract";
import { overlap } from "../faces/suppress_overlaps.ts";

/** Where the face is, as all face models agree to within two pixels; 256 × 256 in all. */
export const CANARY_FACE: Readonly<BoundingBox> = { x: 82, y: 64, width: 91, height: 113 };

/** Two boxes that overlap so much (intersection over union) are the same face to any model. */
const MIN_OVERLAP = 0.7;

/** Between two runs of a model with the same input, on one machine: rounding, no more. */
const TOLERANCE = 1e-4;

/** Pixels of the canary. */
export const CANARY_PIXELS = 256 * 256;

/** The picture's bytes, a JPEG. */
export function readCanary(): Promise<Uint8Array> {
  return Deno.readFile(new URL("canary.jpg", import.meta.url));
}

/**
 * Compares an answer with what is known.
 *
 * @param first what the first worker answered with the same model, which the others must agree with;
 *   undefined for the first one
 * @returns what is wrong with the answer; undefined where nothing is
 */
export function faultOf(answer: JobResult, first: JobResult | undefined): string | undefined {
  if ("embedding" in answer) {
    const length = Math.hypot(...answer.embedding);
    // Not a number is not close to 1 either.
    if (!(Math.abs(length - 1) < TOLERANCE)) return `its vector has length ${length}, not 1`;
    if (first === undefined || !("embedding" in first)) return undefined;
    const apart = Math.max(...answer.embedding.map((x, i) => Math.abs(x - first.embedding[i]!)));
    return apart < TOLERANCE
      ? undefined
      : `its vector is ${apart} away from that of another worker`;
  }
  const [face, ...more] = answer.faces;
  if (face === undefined || more.length > 0) return `it found ${answer.face_count} faces, not 1`;
  const shared = overlap(face.bbox, CANARY_FACE);
  if (shared >= MIN_OVERLAP) return undefined;
  return `its face overlaps the one that is there by ${shared.toFixed(2)} only`;
}
