import { type ApiDocument, apiDocument, json, operation } from "@fovea/common/api";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import manifest from "../deno.json" with { type: "json" };
import { jobPaths } from "./job_paths.ts";
import { info, readiness } from "./schemas.ts";

const tag = "service";

const statePaths: ZodOpenApiPathsObject = {
  "/info": {
    get: operation({
      id: "info",
      tag,
      summary: "Tasks, models and where the broker is",
      answers: { 200: json(info, "what this service is made of") },
    }),
  },
  "/health/ready": {
    get: operation({
      id: "ready",
      tag,
      summary: "Whether it can do its work",
      answers: {
        200: json(readiness, "ready, or degraded: something it can do without is missing"),
        503: json(readiness, "not ready"),
      },
    }),
  },
};

const mqttPath: ZodOpenApiPathsObject = {
  "/mqtt": {
    get: operation({
      id: "mqtt",
      tag: "events",
      summary: "The built-in broker over WebSocket",
      description: "MQTT 3.1.1, subprotocol mqtt; not something this page can try out.",
      answers: { 101: { description: "the connection goes on as a WebSocket" } },
      problems: ["invalid_parameter"],
    }),
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
    description: "Finds faces in pictures, and turns pictures into embeddings.",
    paths: { ...jobPaths, ...statePaths, ...hasBroker && mqttPath },
  });
}
