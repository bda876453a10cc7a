import { type ApiDocument, apiDocument, json, operation } from "@fovea/http/api";
import { z } from "zod";
import manifest from "../deno.json" with { type: "json" };
import { entityPaths } from "./entity_paths.ts";
import { storeQuery } from "../entities/store_routes.ts";
import { subresourcePaths } from "./subresource_paths.ts";
import { position } from "./schemas.ts";

/** media_store's API in OpenAPI 3.1. */
export function describeMediaStore(): ApiDocument {
  return apiDocument({
    title: "Fovea media_store",
    version: manifest.version,
    description: "Keeps pictures and other files, and gives each an id.",
    paths: {
      ...entityPaths,
      ...subresourcePaths,
      "/store": {
        get: operation({
          id: "store",
          tag: "service",
          summary: "Which store this is, and how far it has come",
          description: "Whoever keeps something by the ids of entities remembers the answer, and " +
            "sends it the next time as `after` and `tag`: `diverged` says that the same ids may " +
            "mean other entities by now, as after a restore.",
          right: "read",
          parameters: { query: storeQuery },
          answers: { 200: json(position, "the store after its last change") },
          problems: ["invalid_parameter", "diverged"],
        }),
      },
      "/health/ready": {
        get: operation({
          id: "ready",
          tag: "service",
          summary: "Whether it can do its work",
          answers: { 200: json(z.object({ status: z.literal("ready") }), "it can") },
          problems: ["not_ready"],
        }),
      },
    },
  });
}
