/**
 * What may stand in the path and behind the question mark of a call about entities.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { checked } from "@fovea/http/problem_response";
import { MAX_NUMBER, pageParameters, wholeNumber } from "@fovea/http/query";
import type { Context } from "hono";
import { z } from "zod";
import { booleanText, entityId, strictObject } from "./fields.ts";
import { filterText } from "./filter.ts";

const MAX_SEARCH_LENGTH = 200;

export const idParameter = z.object({ id: entityId });

/** Parameters of calls that answer one entity, or what belongs to it. */
export const itemQuery = strictObject("parameter", {
  version: wholeNumber(1, MAX_NUMBER, "as it was then; left out, as it is").optional(),
});

/** Whether what is softly deleted is among the answer. */
export const includeDeleted = booleanText.default(false).meta({
  description: "also what is softly deleted",
  ...sentAs({ type: "boolean", default: false }),
});

/** Parameters of `GET /entity/`. */
export const listQuery = strictObject("parameter", {
  ...pageParameters("entities"),
  search_query: z.string()
    .max(MAX_SEARCH_LENGTH, `at most ${MAX_SEARCH_LENGTH} characters are allowed`).default("")
    .meta({
      description: "words that all occur in label or description, in any order and in part; " +
        "case and accents don't matter",
    }),
  filter_param: filterText.default({}),
  version: wholeNumber(
    1,
    MAX_NUMBER,
    "every entity that has this version, as it was at it; all else is asked of what it was",
  ).optional(),
  include_deleted: includeDeleted,
});

/** The entity that a path names. @throws {Problem} `invalid_parameter` */
export function idOf(c: Context): number {
  return checked(idParameter, c.req.param(), "invalid_parameter").id;
}
