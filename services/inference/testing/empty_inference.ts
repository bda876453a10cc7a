/**
 * inference as `main.ts` starts it, with workers for whom every job is done at once.
 *
 * @module
 */
import { runService } from "@fovea/http/serve";
import { serveInference } from "../inference.ts";
import { inferenceSettings } from "../settings.ts";

await runService(() =>
  serveInference(inferenceSettings(Deno.env), new URL("./empty_worker.ts", import.meta.url))
);
