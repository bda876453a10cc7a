import type { BoundingBox, Point } from "@fovea/contract";

/** A face as a network sees it, in the pixels of what it was shown. */
export interface Detection {
  bbox: BoundingBox;
  /** Left eye, right eye, nose, left and right corner of the mouth; null where the network has none. */
  landmarks: Point[] | null;
  /** 0…1 */
  confidence: number;
}

/** A face detection network with its weights loaded. */
export interface FaceNet {
  /** Pixels of its input. What is smaller stands in its upper left corner. */
  readonly width: number;
  readonly height: number;
  /** Two boxes overlapping more than this (intersection over union) are one face. */
  readonly maxOverlap: number;
  /** Faces of this width, in pixels of its input, it knows at half the size as well. */
  readonly largeFrom: number;
  /** What it is less sure of is mostly no face: the threshold of a job that names none, 0…1. */
  readonly minConfidence: number;
  /**
   * @param rgb height × width × 3 bytes
   * @param minConfidence what it is less sure of is left out
   * @returns what it takes for faces, overlapping ones among them
   */
  detect(
    rgb: Uint8Array,
    width: number,
    height: number,
    minConfidence: number,
  ): Promise<Detection[]>;
}
