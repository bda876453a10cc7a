import type { Detection, FaceNet } from "../faces/face_net.ts";

/** A network for tests that sees what it is told to, by the width of the picture that it is shown. */
export function scriptedNet(seen: Record<number, Detection[]>): FaceNet & { widths: number[] } {
  const widths: number[] = [];
  return {
    widths,
    width: 640,
    height: 640,
    maxOverlap: 0.3,
    largeFrom: 100,
    minConfidence: 0.6,
    detect(_rgb, width, _height, minConfidence) {
      widths.push(width);
      const found = seen[width] ?? [];
      return Promise.resolve(found.filter(({ confidence }) => confidence >= minConfidence));
    },
  };
}

/** A square face. */
export function faceAt(x: number, y: number, side: number, confidence: number): Detection {
  return { bbox: { x, y, width: side, height: side }, landmarks: [[x, y]], confidence };
}
