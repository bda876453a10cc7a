import type { BoundingBox } from "@fovea/contract";

/**
 * Intersection over union of two boxes, 0…1.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const left = { x: 0, y: 0, width: 2, height: 1 };
 * const right = { x: 1, y: 0, width: 2, height: 1 };
 * assert.equal(overlap(left, right), 1 / 3);
 * ```
 */
export function overlap(a: BoundingBox, b: BoundingBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/**
 * Candidates in a picture, and in one view of it, of which each pair may have to be compared: a crowd
 * stays far below, a job that asks for everything, however unsure, exceeds them.
 */
const MAX_CANDIDATES = 5000;
export const MAX_CANDIDATES_IN_VIEW = 1000;

/**
 * Non-maximum suppression: of boxes that overlap, the most confident stays.
 *
 * @param found boxes in one coordinate system, any order
 * @param maxOverlap two boxes overlapping more than this (intersection over union, 0…1) are one face
 * @param most only so many of the most confident are considered
 * @returns those kept, most confident first
 */
export function suppressOverlaps<Found extends { bbox: BoundingBox; confidence: number }>(
  found: readonly Found[],
  maxOverlap: number,
  most = MAX_CANDIDATES,
): Found[] {
  const kept: Found[] = [];
  const candidates = found.toSorted((a, b) => b.confidence - a.confidence);
  for (const candidate of candidates.slice(0, most)) {
    if (kept.every((other) => overlap(candidate.bbox, other.bbox) <= maxOverlap)) {
      kept.push(candidate);
    }
  }
  return kept;
}
