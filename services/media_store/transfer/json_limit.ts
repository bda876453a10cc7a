import { Problem } from "@fovea/contract";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

/** What may come as JSON: far more than any member may have, so that a long one is named. */
const MAX_JSON_BYTES = 1024 * 1024;

/** Refuses a longer body before it is read, by `upload_too_large`. */
export function limitJson(): MiddlewareHandler {
  return bodyLimit({
    maxSize: MAX_JSON_BYTES,
    onError: () => {
      throw new Problem(
        "upload_too_large",
        `body is over ${MAX_JSON_BYTES} bytes, the most that is taken`,
      );
    },
  });
}
