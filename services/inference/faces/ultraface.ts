import type { InferenceSession } from "onnxruntime-web";
import { Tensor } from "onnxruntime-web";
import type { Detection, FaceNet } from "./face_net.ts";

const WIDTH = 320;
const HEIGHT = 240;
const MIN_CONFIDENCE = 0.65;

/**
 * UltraFace RFB-320 (Linzaer, "Ultra-Light-Fast-Generic-Face-Detector-1MB"): boxes, no landmarks.
 * Input `input` [1, 3, 240, 320], RGB, (value − 127) / 128. Outputs `scores` [1, 4420, 2] (background,
 * face) and `boxes` [1, 4420, 4], corners as parts of the input's width and height.
 */
export function ultraface(session: InferenceSession): FaceNet {
  return {
    width: WIDTH,
    height: HEIGHT,
    maxOverlap: 0.4,
    async detect(rgb, width, height) {
      const input = new Tensor("float32", toRgbPlanes(rgb, width, height), [1, 3, HEIGHT, WIDTH]);
      const { scores, boxes } = await session.run({ input });
      if (scores === undefined || boxes === undefined) {
        throw new Error("model has no outputs scores and boxes: it is no UltraFace");
      }
      return readBoxes(scores.data as Float32Array, boxes.data as Float32Array);
    },
  };
}

function toRgbPlanes(rgb: Uint8Array, width: number, height: number): Float32Array {
  // Around a smaller picture stands the middle grey that normalises to 0.
  const planes = new Float32Array(3 * WIDTH * HEIGHT);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        planes[(channel * HEIGHT + y) * WIDTH + x] = (rgb[(y * width + x) * 3 + channel]! - 127) /
          128;
      }
    }
  }
  return planes;
}

function readBoxes(scores: Float32Array, boxes: Float32Array): Detection[] {
  const detections: Detection[] = [];
  for (let i = 0; i < scores.length / 2; i++) {
    const confidence = scores[i * 2 + 1]!;
    if (confidence < MIN_CONFIDENCE) continue;
    const x = boxes[i * 4]! * WIDTH;
    const y = boxes[i * 4 + 1]! * HEIGHT;
    detections.push({
      bbox: {
        x,
        y,
        width: boxes[i * 4 + 2]! * WIDTH - x,
        height: boxes[i * 4 + 3]! * HEIGHT - y,
      },
      landmarks: null,
      confidence,
    });
  }
  return detections;
}
