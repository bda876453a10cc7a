import { type Need, testNeeding } from "@fovea/testing";
import { type TestModel, testModel, yunet, yunetDynamic } from "@fovea/testing/models";
import assert from "node:assert/strict";
import type { Detection, FaceNet } from "../faces/face_net.ts";
import { suppressOverlaps } from "../faces/suppress_overlaps.ts";
import { ultraface } from "../faces/ultraface.ts";
import { yunet as yunetOn } from "../faces/yunet.ts";
import { native } from "../testing/native_program.ts";
import { openSession, type Session } from "../runtime/onnx_session.ts";
import stored from "./faces_golden.json" with { type: "json" };
import { computeGolden, type Golden, type ModelName, PYTHON, type View } from "./faces_golden.ts";
import { goldenViews } from "./faces_views.ts";

const GOLDEN = stored as Golden;
const numpy: Need = {
  isThere: PYTHON !== undefined,
  what: "numpy (apt-get install python3-numpy)",
};

/** The same faces, each within 1 pixel and 0.01 of confidence. */
function agree(faces: Detection[], golden: Detection[]): void {
  assert.equal(faces.length, golden.length);
  for (const [i, { bbox, landmarks, confidence }] of golden.entries()) {
    const face = faces[i]!;
    near(face.confidence, confidence, 0.01, `confidence of face ${i}`);
    for (const side of ["x", "y", "width", "height"] as const) {
      near(face.bbox[side], bbox[side], 1, `${side} of face ${i}`);
    }
    assert.equal(face.landmarks?.length, landmarks?.length);
    for (const [j, [x, y]] of (landmarks ?? []).entries()) {
      near(face.landmarks![j]![0], x, 1, `x of landmark ${j} of face ${i}`);
      near(face.landmarks![j]![1], y, 1, `y of landmark ${j} of face ${i}`);
    }
  }
}

function near(actual: number, expected: number, within: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= within, `${what} is ${actual}, expected ${expected}`);
}

/** Networks are loaded before the tests: ONNX Runtime keeps a message port of its first for good. */
async function netOf(
  model: TestModel | null,
  netOn: (session: Session) => FaceNet,
): Promise<FaceNet | null> {
  return model && netOn(await openSession(model.path));
}

function check(
  name: ModelName,
  model: TestModel | null,
  net: FaceNet | null,
  needs: Need[],
): void {
  testNeeding(needs, `${name}'s faces are those that numpy reads from its outputs`, async () => {
    const { detect, minConfidence, maxOverlap } = net!;
    for (const [view, { rgb, width, height }] of Object.entries(await goldenViews(net!))) {
      const seen = await detect(rgb, width, height, minConfidence);
      agree(suppressOverlaps(seen, maxOverlap), GOLDEN[name][view as View]);
    }
  });

  testNeeding([...needs, numpy, native], `${name}'s stored golden values are numpy's`, async () => {
    for (const [view, pixels] of Object.entries(await goldenViews(net!))) {
      agree(await computeGolden(model!, pixels), GOLDEN[name][view as View]);
    }
  });
}

const ultrafaceModel = await testModel("face_detection", "ultraface-rfb-320");
check("ultraface-rfb-320", ultrafaceModel, await netOf(ultrafaceModel, ultraface), []);
check("yunet-2023mar", yunet.model, await netOf(yunet.model, yunetOn), [yunet]);
check("yunet-n-dynamic", yunetDynamic.model, await netOf(yunetDynamic.model, yunetOn), [
  yunetDynamic,
]);
