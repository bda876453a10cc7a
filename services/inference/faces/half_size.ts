import type { Detection, FaceNet } from "./face_net.ts";

/**
 * What a network finds in a picture that it is shown at half its size.
 *
 * @param rgb height × width × 3 bytes
 * @returns in the pixels of the full size
 */
export async function detectAtHalfSize(
  net: FaceNet,
  rgb: Uint8Array,
  width: number,
  height: number,
  minConfidence: number,
): Promise<Detection[]> {
  const half = halve(rgb, width, height);
  const seen = await net.detect(half.rgb, half.width, half.height, minConfidence);
  return seen.map(({ bbox, landmarks, confidence }) => ({
    bbox: { x: bbox.x * 2, y: bbox.y * 2, width: bbox.width * 2, height: bbox.height * 2 },
    landmarks: landmarks?.map(([x, y]) => [x * 2, y * 2]) ?? null,
    confidence,
  }));
}

/** Each pixel is the mean of four; an odd last row or column is left out. */
function halve(
  rgb: Uint8Array,
  fullWidth: number,
  fullHeight: number,
): { rgb: Uint8Array; width: number; height: number } {
  const width = Math.floor(fullWidth / 2);
  const height = Math.floor(fullHeight / 2);
  const row = fullWidth * 3;
  const half = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const corner = 2 * y * row + 2 * x * 3;
      for (let channel = 0; channel < 3; channel++) {
        const from = corner + channel;
        const sum = rgb[from]! + rgb[from + 3]! + rgb[from + row]! + rgb[from + row + 3]!;
        half[(y * width + x) * 3 + channel] = Math.round(sum / 4);
      }
    }
  }
  return { rgb: half, width, height };
}
