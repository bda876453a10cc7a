import type { FaceDetectionResult } from "@fovea/contract";
import type { FaceNet } from "../faces/face_net.ts";
import { cutViews, findFaces } from "../faces/find_faces.ts";
import { ultraface } from "../faces/ultraface.ts";
import { yunet } from "../faces/yunet.ts";
import { openSession } from "./onnx_session.ts";
import type { LoadedTask, ModelFile, Task } from "./task.ts";

/** Bounding boxes, and landmarks where the model has them. */
export const faceDetection: Task = {
  type: "face_detection",
  preprocess: 1,
  async load(model: ModelFile): Promise<LoadedTask> {
    const session = await openSession(model.path);
    const net: FaceNet = model.name.startsWith("ultraface") ? ultraface(session) : yunet(session);
    return {
      prepare(picture) {
        const size = { width: picture.width, height: picture.height };
        const views = cutViews(picture, net);
        return async (): Promise<FaceDetectionResult> => {
          const faces = await findFaces(net, views, size);
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
