import { type ApiDocument, apiDocument, json } from "@fovea/http/api";
import { MEDIA_STORE_RIGHTS } from "@fovea/contract";
import { z } from "zod";
import manifest from "../deno.json" with { type: "json" };
import { changePaths } from "./change_paths.ts";
import { entityPaths } from "./entity_paths.ts";
import { subresourcePaths } from "./subresource_paths.ts";

/** media_store's API in OpenAPI 3.1. */
export function describeMediaStore(): ApiDocument {
  return apiDocument({
    title: "Fovea media_store",
    version: manifest.version,
    rights: MEDIA_STORE_RIGHTS,
    description: "Keeps pictures and other files, and gives each an id.",
    paths: {
      ...entityPaths,
      ...subresourcePaths,
      ...changePaths,
      "/health/ready": {
        get: {
          id: "ready",
          tag: "service",
          summary: "Whether it can do its work",
          answers: { 200: json(z.object({ status: z.literal("ready") }), "it can") },
          problems: ["not_ready"],
        },
      },
    },
  });
}
