import type { EmbeddingResult, FaceDetectionResult } from "@fovea/contract";
import assert from "node:assert/strict";
import { CANARY_FACE, faceDetection } from "../tasks/face_detection.ts";
import { imageEmbedding } from "../tasks/image_embedding.ts";

const faces = (...boxes: { x: number }[]): FaceDetectionResult => ({
  faces: boxes.map(({ x }, face_index) => ({
    face_index,
    bbox: { ...CANARY_FACE, x },
    landmarks: null,
    confidence: 1,
  })),
  face_count: boxes.length,
  image_width: 256,
  image_height: 256,
});

const vector = (...embedding: number[]): EmbeddingResult => ({
  embedding,
  embedding_dimension: embedding.length,
  stored_in_vector_db: true,
  collection: "image_embeddings",
  point_id: 0,
});

Deno.test("the one face must be where it is, within a tolerance", () => {
  const { x } = CANARY_FACE;
  assert.equal(faceDetection.faultOf(faces({ x: x + 5 }), undefined), undefined);
  assert.match(faceDetection.faultOf(faces(), undefined)!, /found 0 faces/);
  assert.match(faceDetection.faultOf(faces({ x }, { x: 0 }), undefined)!, /found 2 faces/);
  assert.match(faceDetection.faultOf(faces({ x: x + 60 }), undefined)!, /overlaps .* by 0\.2/);
});

Deno.test("a vector must have length 1 and be that of the other workers", () => {
  assert.equal(imageEmbedding.faultOf(vector(0.6, 0.8), undefined), undefined);
  assert.equal(imageEmbedding.faultOf(vector(0.6, 0.8), vector(0.6, 0.8)), undefined);
  assert.match(imageEmbedding.faultOf(vector(0.6, NaN), undefined)!, /length NaN/);
  assert.match(imageEmbedding.faultOf(vector(1, 1), undefined)!, /length 1\.41/);
  assert.match(imageEmbedding.faultOf(vector(0.8, 0.6), vector(0.6, 0.8))!, /0\.2.* away/);
});
