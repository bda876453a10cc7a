import type { Rights } from "@fovea/contract";
import { createDocument } from "zod-openapi";
import { type ApiPaths, openApiPaths } from "./operation.ts";
import { problemDocument } from "./problems.ts";
import { selfPaths } from "./self_paths.ts";

/** An OpenAPI 3.1 document. */
export type ApiDocument = ReturnType<typeof createDocument>;

const COMMON = `

Errors are \`application/problem+json\` (RFC 9457) with a \`code\` from one closed list. Times are
milliseconds since the epoch, UTC. A request may bring an id of its own in \`X-Request-Id\` (printable
ASCII, at most 128 characters); every answer has one, and so have the log lines and problems that
belong to it.`;

/**
 * Puts a service's API together, from the schemas that its routes check requests with.
 *
 * @param service its paths in OpenAPI's notation, those common to both services left out
 */
export function apiDocument(
  service: {
    title: string;
    version: string;
    description: string;
    paths: ApiPaths;
    /** What each call wants of its caller. */
    rights: Rights;
  },
): ApiDocument {
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: service.title,
      version: service.version,
      description: service.description + COMMON,
    },
    paths: openApiPaths({ ...service.paths, ...selfPaths }, service.rights),
    components: {
      schemas: { Problem: problemDocument },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "Signed with ES256. Only with AUTH_MODE=jwt.",
        },
      },
    },
  });
}
