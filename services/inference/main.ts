/**
 * inference: takes jobs over HTTP, has workers do them, and says over MQTT when each is done.
 *
 * @module
 */
import { runService } from "@fovea/common/serve";
import { serveInference } from "./inference.ts";
import { inferenceSettings } from "./settings.ts";

await runService(() => serveInference(inferenceSettings(Deno.env)));
