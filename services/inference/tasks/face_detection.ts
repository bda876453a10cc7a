import type { BoundingBox, Face, FaceDetectionOptions, FaceDetectionResult } from "@fovea/contract";
import { sureAtBothSizes } from "../faces/both_sizes.ts";
import { cutViews, findFaces } from "../faces/find_faces.ts";
import { overlap } from "../faces/suppress_overlaps.ts";
import { ultraface } from "../faces/ultraface.ts";
import { yunet } from "../faces/yunet.ts";
import { openSession } from "../runtime/onnx_session.ts";
import type { SchemaTools, Task } from "./task.ts";

/** Where the canary's face is, as all face models agree to within two pixels. [note: canary] */
export const CANARY_FACE: Readonly<BoundingBox> = { x: 82, y: 64, width: 91, height: 113 };

/** Two boxes that overlap so much (intersection over union) are the same face to any model. */
const MIN_OVERLAP = 0.7;

/** Bounding boxes, and landmarks where the model has them. */
export const faceDetection: Task<FaceDetectionOptions, FaceDetectionResult> = {
  type: "face_detection",
  modelSetting: "FACE_MODEL",
  preprocess: 3,
  hasTower: false,
  optionsShape: ({ z }) => ({
    min_confidence: z.number().min(0).max(1).optional(),
    max_faces: z.int().min(1).optional(),
  }),
  resultSchema,
  eventMembers: ({ face_count }) => ({ face_count }),
  delivery: {
    what: "faces",
    path: (entityId) => `/entity/${entityId}/face-detection-results`,
  },
  faultOf({ faces: [face, ...more], face_count }) {
    if (face === undefined || more.length > 0) return `it found ${face_count} faces, not 1`;
    const shared = overlap(face.bbox, CANARY_FACE);
    if (shared >= MIN_OVERLAP) return undefined;
    return `its face overlaps the one that is there by ${shared.toFixed(2)} only`;
  },
  async load(model, backend) {
    const session = await openSession(model.path, backend);
    const net = sureAtBothSizes(
      model.name.startsWith("ultraface") ? ultraface(session) : yunet(session),
    );
    return {
      prepare(picture, _entityId, options) {
        const size = { width: picture.width, height: picture.height };
        const views = cutViews(picture, net);
        return async () => {
          const faces = await findFaces(net, views, size, options);
          return {
            faces,
            face_count: faces.length,
            image_width: size.width,
            image_height: size.height,
          };
        };
      },
    };
  },
};

function resultSchema({ z, schemaOf }: SchemaTools) {
  const box = schemaOf<BoundingBox>()({
    x: z.number(),
    y: z.number(),
    width: z.number(),
    height: z.number(),
  }).meta({
    id: "BoundingBox",
    description: "pixels of the picture as a viewer shows it, inside its borders",
  });
  const face = schemaOf<Face>()({
    face_index: z.int().meta({ description: "from 0, largest face first" }),
    bbox: box,
    landmarks: z.array(z.tuple([z.number(), z.number()])).nullable().meta({
      description:
        "left eye, right eye, nose, left and right corner of the mouth, as seen in the " +
        "picture; null where the model has none",
    }),
    confidence: z.number().min(0).max(1),
  }).meta({ id: "Face" });
  return schemaOf<FaceDetectionResult>()({
    faces: z.array(face),
    face_count: z.int(),
    image_width: z.int(),
    image_height: z.int(),
  }).meta({ id: "FaceDetectionResult" });
}
