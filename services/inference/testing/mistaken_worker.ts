/**
 * A worker that finds no face in any picture, the canary among them.
 *
 * @module
 */
import type { Order, Report } from "../workers/messages.ts";

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order>) => void;
  postMessage(report: Report): void;
};

const answer = { faces: [], face_count: 0, image_width: 256, image_height: 256 };

thread.onmessage = ({ data: { kind } }) => {
  if (kind === "start") thread.postMessage({ kind: "started" });
  if (kind === "load") thread.postMessage({ kind: "loaded" });
  if (kind === "canary") thread.postMessage({ kind: "canary_answer", answer });
};
