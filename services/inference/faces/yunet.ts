import type { Point } from "@fovea/contract";
import type { Session } from "../runtime/onnx_session.ts";
import type { Detection, FaceNet } from "./face_net.ts";

const SIDE = 640;
const STRIDES = [8, 16, 32] as const;
const LANDMARKS = 5;

/**
 * YuNet (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", 2023): boxes and five
 * landmarks. Input `input` [1, 3, 640, 640], BGR, 0…255. For each stride s, outputs `cls_s`, `obj_s`
 * [1, n, 1], `bbox_s` [1, n, 4] and `kps_s` [1, n, 10], with a cell for each s × s pixels, row by row.
 */
export function yunet(session: Session): FaceNet {
  return {
    width: SIDE,
    height: SIDE,
    maxOverlap: 0.3,
    largeFrom: 128,
    minConfidence: 0.6,
    async detect(rgb, width, height, minConfidence) {
      const input = { data: toBgrPlanes(rgb, width, height), dims: [1, 3, SIDE, SIDE] };
      const outputs = await session.run({ input });
      const values = (name: string) => {
        const output = outputs[name];
        if (output === undefined) throw new Error(`model has no output ${name}: it is no YuNet`);
        return output.data;
      };
      return STRIDES.flatMap((stride) =>
        readStride(
          stride,
          values(`cls_${stride}`),
          values(`obj_${stride}`),
          values(`bbox_${stride}`),
          values(`kps_${stride}`),
          minConfidence,
        )
      );
    },
  };
}

function toBgrPlanes(rgb: Uint8Array, width: number, height: number): Float32Array {
  const planes = new Float32Array(3 * SIDE * SIDE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const to = y * SIDE + x;
      planes[to] = rgb[from + 2]!;
      planes[to + SIDE * SIDE] = rgb[from + 1]!;
      planes[to + 2 * SIDE * SIDE] = rgb[from]!;
    }
  }
  return planes;
}

function readStride(
  stride: number,
  cls: Float32Array,
  obj: Float32Array,
  bbox: Float32Array,
  kps: Float32Array,
  minConfidence: number,
): Detection[] {
  const cells = SIDE / stride;
  const detections: Detection[] = [];
  for (let cell = 0; cell < cells * cells; cell++) {
    // Geometric mean of class and objectness, as the authors' own decoder has it.
    const confidence = Math.sqrt(clamp01(cls[cell]!) * clamp01(obj[cell]!));
    if (confidence < minConfidence) continue;
    const column = cell % cells;
    const row = Math.floor(cell / cells);
    const width = Math.exp(bbox[cell * 4 + 2]!) * stride;
    const height = Math.exp(bbox[cell * 4 + 3]!) * stride;
    const landmarks = Array.from({ length: LANDMARKS }, (_, i): Point => [
      (column + kps[(cell * LANDMARKS + i) * 2]!) * stride,
      (row + kps[(cell * LANDMARKS + i) * 2 + 1]!) * stride,
    ]);
    detections.push({
      bbox: {
        x: (column + bbox[cell * 4]!) * stride - width / 2,
        y: (row + bbox[cell * 4 + 1]!) * stride - height / 2,
        width,
        height,
      },
      // The person's right eye comes first, which is the left one in the picture: already our order.
      landmarks,
      confidence,
    });
  }
  return detections;
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
