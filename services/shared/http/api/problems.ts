import { type ProblemCode, type ProblemDocument, PROBLEMS } from "@fovea/contract";
import { z } from "zod";
import type { ZodOpenApiResponsesObject } from "zod-openapi";
import { describedHeaders } from "./headers.ts";

/** Every code of the table, as an enumeration needs them. */
export const problemCode = z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]);

/** Body of every error answer. */
export const problemDocument = z.looseObject({
  type: z.string().meta({ description: "urn:fovea:problem:CODE" }),
  title: z.string(),
  status: z.int(),
  detail: z.string().meta({
    description: "what was wrong, what was received and what is allowed",
  }),
  code: problemCode,
  request_id: z.string().meta({ description: "as in the header X-Request-Id" }),
}) satisfies z.ZodType<ProblemDocument>;

/** The answers, by status, of a call that may fail with these codes. */
export function problemAnswers(codes: readonly ProblemCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  const answers = [...byStatus].map(([status, codes]) => [`${status}`, answer(codes)]);
  return Object.fromEntries(answers);
}

/** The headers that come with a code, and what they say. */
const HEADERS: { [Code in ProblemCode]?: Record<string, string> } = {
  queue_full: { "Retry-After": "seconds to wait" },
  range_not_satisfiable: { "Content-Range": "`bytes */SIZE`, with the file's size" },
  unauthorized: { "WWW-Authenticate": "Bearer" },
};

function answer(codes: readonly ProblemCode[]) {
  const headers = Object.assign({}, ...codes.map((code) => HEADERS[code]));
  return {
    description: codes.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join(" · "),
    ...describedHeaders(headers),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Problem" },
            { properties: { code: { enum: [...codes] } } },
          ],
        },
      },
    },
  };
}
