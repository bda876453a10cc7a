/**
 * The calls that add, find, change and delete entities, as the API document shows them.
 *
 * @module
 */
import { type ApiPaths, describedHeaders, json, jsonBodyOf, pageSchema } from "@fovea/http/api";
import type { ProblemCode } from "@fovea/contract";
import { z } from "zod";
import { entityForm } from "../entities/form.ts";
import { knownQuestion } from "../entities/known.ts";
import { entityPatch, wrappedPatch } from "../entities/patch.ts";
import { idParameter, itemQuery, listQuery } from "../entities/query.ts";
import { allDeleted, item, knownFiles } from "./schemas.ts";

const tag = "entities";

/** How a form may be wrong, whatever it is sent for. */
const FORM_PROBLEMS: readonly ProblemCode[] = [
  "missing_field",
  "invalid_parameter",
  "invalid_parent",
  "missing_file",
  "unexpected_file",
  "empty_file",
  "unsupported_media",
  "malformed_body",
  "image_unreadable",
  "image_truncated",
  "image_too_large",
  "service_busy",
  "storage_full",
  "storage_missing",
];

/** How a change of an entity may fail, whatever it is. */
const CHANGE_PROBLEMS: readonly ProblemCode[] = [
  "invalid_parameter",
  "entity_not_found",
  "precondition_failed",
  "storage_full",
  "storage_missing",
];

const formBody = (fileDescription: string) => ({
  required: true,
  content: {
    "multipart/form-data": {
      schema: entityForm.extend({
        image: z.file().optional().meta({ description: `${fileDescription}; or as \`file\`` }),
      }),
    },
    "application/x-www-form-urlencoded": { schema: entityForm },
  },
});

const tagged = { ETag: 'its version, as in "v3"' };
const anItem = (description: string) => json(item, description, tagged);

/** Parameters of a call that changes an entity. */
const ofChange = {
  path: idParameter,
  header: z.object({
    "If-Match": z.string().optional().meta({
      description: "an ETag: the entity is changed only while it is that",
    }),
  }),
};

export const entityPaths: ApiPaths = {
  "/entity/": {
    post: {
      id: "addEntity",
      tag,
      summary: "Add a file or a collection",
      description: "No two entities have the same bytes: where one has them already, that one is " +
        "the answer, unchanged, also if it is deleted softly.",
      body: formBody("the file, which a collection has none of"),
      answers: {
        200: anItem("the entity that has these bytes already"),
        201: json(item, "the new entity", { ...tagged, Location: "where it is" }),
      },
      problems: FORM_PROBLEMS,
    },
    get: {
      id: "listEntities",
      tag,
      summary: "List entities, page by page",
      description: "In the order in which they were added.",
      parameters: { query: listQuery },
      answers: { 200: json(pageSchema(item), "a page of them") },
      problems: ["invalid_parameter"],
    },
    delete: {
      id: "deleteAllEntities",
      tag,
      summary: "Empty the store for good",
      answers: { 200: json(allDeleted, "how many there were") },
      problems: ["storage_full", "storage_missing"],
    },
  },
  "/entity/known": {
    post: {
      id: "findKnownFiles",
      tag,
      summary: "Ask which files are here, before any is sent",
      body: jsonBodyOf(knownQuestion, { sha256: ["0".repeat(64)] }),
      answers: { 200: json(knownFiles, "those that are here") },
      problems: ["malformed_body"],
    },
  },
  "/entity/{id}": {
    get: {
      id: "getEntity",
      tag,
      summary: "Look at an entity",
      parameters: {
        path: idParameter,
        query: itemQuery,
        header: z.object({
          "If-None-Match": z.string().optional().meta({ description: "an ETag one has already" }),
        }),
      },
      answers: {
        200: anItem("the entity"),
        304: { description: "it is what If-None-Match names", ...describedHeaders(tagged) },
      },
      problems: ["invalid_parameter", "entity_not_found", "version_not_found"],
    },
    put: {
      id: "replaceEntity",
      tag,
      summary: "Replace what was said of an entity, and its file",
      description: "A field that is left out is emptied; without a file the bytes stay. " +
        "What changes nothing makes no version. Bytes that another entity has are refused by " +
        "`duplicate_file`, which names it in `entity_id`.",
      parameters: ofChange,
      body: formBody("the new file"),
      answers: { 200: anItem("the entity as it is now") },
      problems: [
        ...new Set([...CHANGE_PROBLEMS, ...FORM_PROBLEMS]),
        "duplicate_file",
        "is_collection_fixed",
      ],
    },
    patch: {
      id: "changeEntity",
      tag,
      summary: "Change single members of an entity, delete it softly or restore it",
      description: "What is left out stays as it is. What changes nothing makes no version.",
      parameters: ofChange,
      body: jsonBodyOf(z.union([entityPatch, wrappedPatch]), { label: "Harbour" }),
      answers: { 200: anItem("the entity as it is now") },
      problems: [...CHANGE_PROBLEMS, "invalid_parent", "malformed_body"],
    },
    delete: {
      id: "deleteEntity",
      tag,
      summary: "Delete an entity for good",
      description: "Record, history and files. What lies in a collection moves to where that lay.",
      parameters: ofChange,
      answers: { 200: json(item, "the entity as it was") },
      problems: CHANGE_PROBLEMS,
    },
  },
};
