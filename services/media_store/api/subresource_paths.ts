/**
 * The calls about the sub-resources of an entity, as the API document shows them.
 *
 * @module
 */
import { type ApiPaths, describedHeaders, json, jsonBodyOf } from "@fovea/http/api";
import type { ProblemCode } from "@fovea/contract";
import { z } from "zod";
import { faceDetectionResults } from "../entities/subresource_routes.ts";
import { idParameter, itemQuery } from "../entities/query.ts";
import { thumbnailQuery } from "../thumbnails/routes.ts";
import { accepted, versions } from "./schemas.ts";

const tag = "files and versions";
const path = idParameter;

const condition = (description: string) => z.string().optional().meta({ description });

/** The conditional headers of RFC 9110, 13. */
const conditions = z.object({
  "If-Match": condition("an ETag that it must have: else 412"),
  "If-None-Match": condition("an ETag one has already: 304"),
  "If-Modified-Since": condition("when one got it: 304 if it is older; after If-None-Match"),
  "If-Unmodified-Since": condition("it must not be newer: else 412; after If-Match"),
});

const ranged = conditions.extend({
  "Range": condition("the bytes wanted, as in `bytes=0-99`; several ranges get the whole file"),
  "If-Range": condition("an ETag or date that Range is meant for: else all of it is the answer"),
});

const VALIDATORS = { "ETag": "names these bytes", "Last-Modified": "when the entity was changed" };
const haveIt = { description: "one has it already", ...describedHeaders(VALIDATORS) };

const binary = { schema: { type: "string" as const, format: "binary" } };

const NO_FILE: readonly ProblemCode[] = [
  "invalid_parameter",
  "entity_not_found",
  "version_not_found",
  "entity_has_no_file",
  "precondition_failed",
];

export const subresourcePaths: ApiPaths = {
  "/entity/{id}/image": {
    get: {
      id: "getImage",
      tag,
      summary: "Get an entity's bytes, or parts of them",
      description: "HEAD answers with the headers alone.",
      parameters: { path, query: itemQuery, header: ranged },
      answers: {
        200: {
          description: "the bytes, under the type that they have",
          ...describedHeaders({
            ...VALIDATORS,
            "Accept-Ranges": "bytes",
            "Content-Disposition": "names the file by the entity's label",
          }),
          content: { "*/*": binary },
        },
        206: {
          description: "what Range asks for",
          ...describedHeaders({
            ...VALIDATORS,
            "Content-Range": "which bytes",
          }),
          content: { "*/*": binary },
        },
        304: haveIt,
      },
      problems: [...NO_FILE, "range_not_satisfiable"],
    },
  },
  "/entity/{id}/thumbnail": {
    get: {
      id: "getThumbnail",
      tag,
      summary: "Get a small picture of an entity",
      description: "HEAD answers with the headers alone. A picture that failed is tried again " +
        "after ten minutes.",
      parameters: {
        path,
        query: thumbnailQuery,
        header: conditions,
      },
      answers: {
        200: {
          description: "upright, in sRGB, without metadata",
          ...describedHeaders(VALIDATORS),
          content: { "image/webp": binary, "image/jpeg": binary },
        },
        304: haveIt,
      },
      problems: [
        ...NO_FILE,
        "no_thumbnail",
        "image_unreadable",
        "image_truncated",
        "image_too_large",
        "queue_full",
        "worker_lost",
        "deadline_exceeded",
        "service_busy",
      ],
    },
  },
  "/entity/{id}/versions": {
    get: {
      id: "getVersions",
      tag,
      summary: "See an entity's history",
      parameters: { path },
      answers: { 200: json(versions, "oldest first") },
      problems: ["invalid_parameter", "entity_not_found"],
    },
  },
  "/entity/{id}/face-detection-results": {
    post: {
      id: "takeFaceResults",
      tag,
      summary: "Hand in what face detection found",
      description: "Nothing of it is kept.",
      parameters: { path },
      body: jsonBodyOf(faceDetectionResults, { faces: [] }),
      answers: { 202: json(accepted, "the entity exists and the body is an object") },
      problems: ["invalid_parameter", "entity_not_found", "malformed_body"],
    },
  },
};
