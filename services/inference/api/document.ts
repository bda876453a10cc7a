import { type ApiDocument, apiDocument, type ApiPaths, json } from "@fovea/http/api";
import { INFERENCE_RIGHTS } from "@fovea/contract";
import manifest from "../deno.json" with { type: "json" };
import { adminPaths } from "./admin_paths.ts";
import { eventPaths, mqttPath } from "./event_paths.ts";
import { jobPaths } from "./job_paths.ts";
import { info, readiness } from "./schemas.ts";

const tag = "service";

const statePaths: ApiPaths = {
  "/info": {
    get: {
      id: "info",
      tag,
      summary: "Tasks, models and where the broker is",
      answers: { 200: json(info, "what this service is made of") },
    },
  },
  "/health/ready": {
    get: {
      id: "ready",
      tag,
      summary: "Whether it can do its work",
      answers: {
        200: json(readiness, "ready, or degraded: something it can do without is missing"),
        503: json(readiness, "not ready"),
      },
    },
  },
};

/**
 * inference's API in OpenAPI 3.1.
 *
 * @param hasBroker whether the broker is the built-in one
 */
export function describeInference(hasBroker: boolean): ApiDocument {
  return apiDocument({
    title: "Fovea inference",
    version: manifest.version,
    rights: INFERENCE_RIGHTS,
    description: "Finds faces in pictures, and turns pictures into embeddings.",
    paths: { ...jobPaths, ...eventPaths, ...hasBroker && mqttPath, ...adminPaths, ...statePaths },
  });
}
