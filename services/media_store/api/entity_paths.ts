/**
 * The calls under `/entity`, as the API document shows them.
 *
 * @module
 */
import { json, jsonBodyOf, operation, pageSchema } from "@fovea/common/api";
import type { ProblemCode } from "@fovea/contract";
import { z } from "zod";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import { entityForm } from "../entity_form.ts";
import { faceResults, idParameter, pageQuery } from "../entity_routes.ts";
import { accepted, allDeleted, item } from "./schemas.ts";

const tag = "entities";
const one = { path: idParameter };

/** How a form may be wrong, whatever it is sent for. */
const FORM_PROBLEMS: readonly ProblemCode[] = [
  "missing_field",
  "invalid_parameter",
  "invalid_parent",
  "missing_file",
  "unexpected_file",
  "empty_file",
  "duplicate_file",
  "upload_too_large",
  "unsupported_media",
  "malformed_body",
  "image_unreadable",
  "image_too_large",
  "storage_full",
];

const upload = entityForm.extend({
  image: z.file().optional().meta({
    description: "the file, which a collection has none of; may be named `file` too",
  }),
});

export const entityPaths: ZodOpenApiPathsObject = {
  "/entity/": {
    post: operation({
      id: "addEntity",
      tag,
      summary: "Add a file or a collection",
      description:
        "The same bytes are stored once: `duplicate_file` names the entity that has them " +
        "in `entity_id`.",
      right: "media_store_write",
      body: { required: true, content: { "multipart/form-data": { schema: upload } } },
      answers: { 201: json(item, "the new entity", { Location: "where it is" }) },
      problems: FORM_PROBLEMS,
    }),
    get: operation({
      id: "listEntities",
      tag,
      summary: "List entities, page by page",
      description: "In the order in which they were added.",
      right: "read",
      parameters: { query: pageQuery },
      answers: { 200: json(pageSchema(item), "a page of them") },
      problems: ["invalid_parameter"],
    }),
    delete: operation({
      id: "deleteAllEntities",
      tag,
      summary: "Empty the store for good",
      right: "is_admin",
      answers: { 200: json(allDeleted, "how many there were") },
      problems: ["storage_full"],
    }),
  },
  "/entity/{id}": {
    get: operation({
      id: "getEntity",
      tag,
      summary: "Look at an entity",
      right: "read",
      parameters: one,
      answers: { 200: json(item, "the entity") },
      problems: ["invalid_parameter", "entity_not_found"],
    }),
    delete: operation({
      id: "deleteEntity",
      tag,
      summary: "Delete an entity for good",
      description: "Record and file. What lies in a collection moves out of it.",
      right: "media_store_write",
      parameters: one,
      answers: { 200: json(item, "the entity as it was") },
      problems: ["invalid_parameter", "entity_not_found", "storage_full"],
    }),
  },
  "/entity/{id}/image": {
    get: operation({
      id: "getImage",
      tag,
      summary: "Get an entity's bytes",
      description: "HEAD answers with the headers alone.",
      right: "read",
      parameters: {
        ...one,
        header: z.object({
          "If-None-Match": z.string().optional().meta({ description: "an ETag one has already" }),
        }),
      },
      answers: {
        200: {
          description: "the bytes, under the type that they have",
          headers: { ETag: { schema: { type: "string" }, description: "their SHA-256" } },
          content: { "*/*": { schema: { type: "string", format: "binary" } } },
        },
        304: { description: "they are what If-None-Match names" },
      },
      problems: ["invalid_parameter", "entity_not_found", "entity_has_no_file"],
    }),
  },
  "/entity/{id}/face-detection-results": {
    post: operation({
      id: "takeFaceResults",
      tag,
      summary: "Hand in what face detection found",
      description: "Nothing of it is kept.",
      right: "media_store_write",
      parameters: one,
      body: jsonBodyOf(faceResults, { faces: [] }),
      answers: { 202: json(accepted, "the entity exists and the body is an object") },
      problems: ["invalid_parameter", "entity_not_found", "upload_too_large", "malformed_body"],
    }),
  },
};
