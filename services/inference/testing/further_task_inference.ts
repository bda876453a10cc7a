/**
 * inference as `main.ts` starts it, with one task more.
 *
 * @module
 */
import "./further_task.ts";
import { runService } from "@fovea/http/serve";
import { serveInference } from "../inference.ts";
import { inferenceSettings } from "../settings.ts";

await runService(() =>
  serveInference(
    inferenceSettings(Deno.env),
    new URL("./further_task_worker.ts", import.meta.url),
  )
);
