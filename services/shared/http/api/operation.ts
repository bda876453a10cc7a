import type { ProblemCode, Right } from "@fovea/contract";
import type { z } from "zod";
import type {
  ZodOpenApiOperationObject,
  ZodOpenApiParameters,
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
  /** As the contract's rights.ts has it; unset: open to everybody. */
  right?: Right;
  parameters?: ZodOpenApiParameters;
  body?: ZodOpenApiRequestBodyObject;
  answers: ZodOpenApiResponsesObject;
  /** The codes it may fail with, besides those that every call has, and those of its right. */
  problems?: readonly ProblemCode[];
}

/** A call as OpenAPI writes it. */
export function operation(call: Call): ZodOpenApiOperationObject {
  const { id, tag, summary, description, right, parameters, body, answers, problems = [] } = call;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...description !== undefined && { description },
    security: right === undefined ? [] : [{ bearer: [] }, {}],
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

function refusals(right: Right | undefined): ProblemCode[] {
  if (right === undefined) return [];
  return right === "read" ? ["unauthorized"] : ["unauthorized", "forbidden"];
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
