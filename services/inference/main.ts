/**
 * inference: takes jobs over HTTP, has workers do them, and says over MQTT when each is done.
 *
 * @module
 */
import { runService } from "@fovea/http/serve";
import { serveInference } from "./inference.ts";
import { inferenceSettings } from "./settings.ts";

const HELP = `Usage: ./fovea inference

Serves until it is asked to end. It has no options: its settings are environment variables, which
services/SETTINGS.md lists.`;

if (Deno.args.length > 0) {
  if (Deno.args.includes("--help")) {
    console.log(HELP);
    Deno.exit(0);
  }
  console.error(
    `Cannot start inference with "${Deno.args.join(" ")}": it has no options\n\n${HELP}`,
  );
  Deno.exit(2);
}

await runService(() => serveInference(inferenceSettings(Deno.env)));
