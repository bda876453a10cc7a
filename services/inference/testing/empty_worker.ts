/**
 * A worker for whom every job is done at once, with no face in it: what is left is the service's own
 * work. Of entity 666666666 it dies, for a file that is missing.
 *
 * @module
 */
import type { Cancel, Order, Report } from "../workers/messages.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";

const DEADLY_ENTITY = 666_666_666;

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order | Cancel>) => void;
  postMessage(report: Report): void;
};

const MISSING = new URL("./missing", import.meta.url);

thread.onmessage = ({ data: order }) => {
  switch (order.kind) {
    case "start":
      return thread.postMessage({ kind: "started" });
    case "load":
      return thread.postMessage({ kind: "loaded" });
    case "canary":
      return thread.postMessage({
        kind: "canary_answer",
        answer: KNOWN_ANSWERS[order.task]!,
      });
    case "run":
      if (order.job.entityId === DEADLY_ENTITY) Deno.readTextFileSync(MISSING);
      return thread.postMessage({
        kind: "ended",
        outcome: {
          ok: true,
          sha256: "0".repeat(64),
          result: { faces: [], face_count: 0, image_width: 8, image_height: 8 },
          timingsMs: { fetch: 0, decode: 0, infer: 0 },
        },
        growth: 0,
      });
  }
};
