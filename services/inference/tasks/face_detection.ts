import type { FaceDetectionResult } from "@fovea/contract";
import { sureAtBothSizes } from "../faces/both_sizes.ts";
import { cutViews, findFaces } from "../faces/find_faces.ts";
import { ultraface } from "../faces/ultraface.ts";
import { yunet } from "../faces/yunet.ts";
import type { Backend } from "./backend.ts";
import { openSession } from "./onnx_session.ts";
import type { ModelFile } from "./model_file.ts";
import type { LoadedTask, Task } from "./task.ts";

/** Bounding boxes, and landmarks where the model has them. */
export const faceDetection: Task = {
  type: "face_detection",
  preprocess: 2,
  hasTower: false,
  async load(model: ModelFile, backend?: Backend): Promise<LoadedTask> {
    const session = await openSession(model.path, backend);
    const net = sureAtBothSizes(
      model.name.startsWith("ultraface") ? ultraface(session) : yunet(session),
    );
    return {
      prepare(picture, _entityId, options) {
        const size = { width: picture.width, height: picture.height };
        const views = cutViews(picture, net);
        return async (): Promise<FaceDetectionResult> => {
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
