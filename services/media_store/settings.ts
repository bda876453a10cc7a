import { commonSettings, count, MAX_TIMER_SECONDS, port } from "@fovea/process/settings";
import { z } from "zod";

/** Everything about media_store that its environment decides. */
export const mediaStoreSettings = commonSettings.extend({
  MEDIA_STORE_HOST: z.string().min(1).default("127.0.0.1"),
  MEDIA_STORE_PORT: port.default(8000),
  /** A thread that has had nothing to do for so long ends; 0: never. */
  THREAD_IDLE_SECONDS: count(0, MAX_TIMER_SECONDS).default(30),
});
