/** Finds the faces in pictures: `face-client <image>… [options]`. */
import { writeFacePictures } from "../annotation/face_pictures.ts";
import { main } from "./main.ts";

main({
  name: "face-client",
  taskType: "face_detection",
  about: "Finds the faces in pictures: where they are, and their eyes, nose and mouth.",
  doing: "find faces in",
  writeFacePictures,
});
