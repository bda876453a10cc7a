import type { ProblemCode, Right, Rights } from "@fovea/contract";
import type { z } from "zod";
import type {
  ZodOpenApiOperationObject,
  ZodOpenApiParameters,
  ZodOpenApiPathsObject,
  ZodOpenApiRequestBodyObject,
  ZodOpenApiResponseObject,
  ZodOpenApiResponsesObject,
} from "zod-openapi";
import { describedHeaders, type HeaderTexts } from "./headers.ts";
import { problemAnswers } from "./problems.ts";

/** A call as who uses it needs to know it. */
export interface Call {
  /** Unique in its document: what generated clients name their function. */
  id: string;
  tag: string;
  summary: string;
  description?: string;
  parameters?: ZodOpenApiParameters;
  body?: ZodOpenApiRequestBodyObject;
  answers: ZodOpenApiResponsesObject;
  /** The codes it may fail with, besides those that every call has, and those of its right. */
  problems?: readonly ProblemCode[];
}

/** Calls by their path in OpenAPI's notation, and their method. */
export type ApiPaths = Readonly<
  Record<string, Partial<Record<"get" | "put" | "post" | "patch" | "delete", Call>>>
>;

/**
 * Calls as OpenAPI writes them.
 *
 * @param rights what each wants of its caller
 */
export function openApiPaths(paths: ApiPaths, rights: Rights): ZodOpenApiPathsObject {
  const written = Object.entries(paths).map(([path, calls]) => {
    const operations = Object.entries(calls).map(([method, call]) => [
      method,
      operation(call, rightOf(rights, method, path)),
    ]);
    return [path, Object.fromEntries(operations)];
  });
  return Object.fromEntries(written);
}

/** `/job/{job_id}` is `/job/:job_id` to routes, and a slash at the end says nothing there. */
function rightOf(rights: Rights, method: string, path: string): Right {
  const route = path.replace(/\{(\w+)\}/g, ":$1").replace(/(.)\/$/, "$1");
  const right = rights[`${method.toUpperCase()} ${route}`];
  if (right === undefined) throw new Error(`Cannot describe ${method} ${path}: it has no right`);
  return right;
}

function operation(call: Call, right: Right): ZodOpenApiOperationObject {
  const { id, tag, summary, description, parameters, body, answers, problems = [] } = call;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...description !== undefined && { description },
    security: right === "open" ? [] : [{ bearer: [] }, {}],
    ...parameters !== undefined && { requestParams: parameters },
    ...body !== undefined && { requestBody: body },
    responses: {
      ...answers,
      ...problemAnswers([
        ...problems,
        ...body === undefined ? [] : bodyProblems(body),
        ...refusals(right),
        "unknown_host",
        "foreign_origin",
        "internal_error",
      ]),
    },
  };
}

function bodyProblems(body: ZodOpenApiRequestBodyObject): ProblemCode[] {
  const isJson = "application/json" in body.content;
  return [
    ...isJson ? ["unsupported_content_type" as const] : [],
    "unsupported_content_encoding",
    "broken_body",
    "upload_too_large",
    "upload_stalled",
  ];
}

function refusals(right: Right): ProblemCode[] {
  if (right === "open") return [];
  return right === "read" || right === "token" ? ["unauthorized"] : ["unauthorized", "forbidden"];
}

/** An answer in JSON. */
export function json(
  schema: z.ZodType,
  description: string,
  headers: HeaderTexts = {},
): ZodOpenApiResponseObject {
  return {
    description,
    content: { "application/json": { schema } },
    ...describedHeaders(headers),
  };
}

/** A request's body in JSON. @param example what the documentation's page begins with */
export function jsonBodyOf(schema: z.ZodType, example: unknown): ZodOpenApiRequestBodyObject {
  return { required: true, content: { "application/json": { schema, example } } };
}
