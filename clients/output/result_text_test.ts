import type { Job, JobResult } from "@fovea/contract";
import assert from "node:assert/strict";
import { asText } from "./result_text.ts";
import { FACES } from "../testing/stand_in.ts";

function textOf(result: JobResult): string {
  return asText("a.png", { result, model: null, timings_ms: null } as Job & { result: JobResult });
}

Deno.test("a face is printed with its box, its confidence and its landmarks, in pixels", () => {
  assert.equal(
    textOf(FACES),
    "a.png: 1 face, 512 × 512 pixels\n" +
      "  face 1: x 179, y 63, 91 × 111; confidence 0.93; eyes (204, 103) (246, 100); " +
      "nose (227, 121); mouth (210, 148) (243, 147)",
  );
});

Deno.test("a model without landmarks leaves them out", () => {
  const faces = FACES.faces.map((face) => ({ ...face, landmarks: null }));
  assert.match(textOf({ ...FACES, faces }), /confidence 0\.93$/);
});

Deno.test("no face, one face and several faces are printed differently", () => {
  assert.equal(textOf({ ...FACES, faces: [], face_count: 0 }), "a.png: no faces, 512 × 512 pixels");
  const [face] = FACES.faces;
  const faces = [face!, { ...face!, face_index: 1 }];
  const lines = textOf({ ...FACES, faces, face_count: 2 }).split("\n");
  assert.match(lines[0] ?? "", /: 2 faces, /);
  assert.match(lines[2] ?? "", /^ {2}face 2: /);
});
