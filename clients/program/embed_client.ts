/** Turns pictures into vectors that can be compared: `embed-client <image>… [options]`. */
import { main } from "./main.ts";

main({
  name: "embed-client",
  taskType: "image_embedding",
  about: "Turns each picture into a vector: the nearer two vectors, the more alike the pictures.",
  doing: "embed",
});
