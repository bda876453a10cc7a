/**
 * A worker that does what a real one should not, by the entity's id: 1 nothing wrong, 2 computes for
 * ever, 3 dies, 4 grows.
 *
 * @module
 */
import type { Order, Report } from "../workers/messages.ts";
import { MAX_GROWTH } from "../workers/pool.ts";

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order>) => void;
  postMessage(report: Report): void;
};

thread.onmessage = ({ data: order }) => {
  if (order.kind === "start") return thread.postMessage({ kind: "started" });
  if (order.kind === "load") return thread.postMessage({ kind: "loaded" });
  const { entityId } = order.job;
  while (entityId === 2);
  if (entityId === 3) throw new Error("out of luck");
  const result = { faces: [], face_count: 0, image_width: 8, image_height: 8 };
  thread.postMessage({
    kind: "ended",
    outcome: { ok: true, result, times: { fetch: 0, decode: 0, infer: 0 } },
    growth: entityId === 4 ? MAX_GROWTH + 1 : 0,
  });
};
