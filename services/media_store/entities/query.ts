/**
 * What may stand in the path and behind the question mark of a call about entities.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { checked } from "@fovea/http/problem_response";
import { Problem } from "@fovea/contract";
import type { Context } from "hono";
import { z } from "zod";
import { entityId, only, truth } from "./fields.ts";
import { filterText } from "./filter.ts";

const whole = (max: number, description: string, usual?: number) => {
  const shown = usual === undefined ? {} : { default: usual };
  return z.string().regex(/^\d+$/, "a whole number is expected").transform(Number)
    .pipe(z.number().min(1, "1 is the least").max(max, `${max} is the most`))
    .meta({ description, ...sentAs({ type: "integer", minimum: 1, maximum: max, ...shown }) });
};

const MAX_SEARCH_LENGTH = 200;
const MAX_NUMBER = 1_000_000_000;

export const idParameter = z.object({ id: entityId });

/** Of calls that answer one entity, or what belongs to it. */
export const itemQuery = only("parameter", {
  version: whole(MAX_NUMBER, "as it was then; left out, as it is").optional(),
});

/** Of `GET /entity/`. */
export const listQuery = only("parameter", {
  page: whole(MAX_NUMBER, "from 1", 1).default(1),
  page_size: whole(100, "entities a page", 20).default(20),
  search_query: z.string()
    .max(MAX_SEARCH_LENGTH, `at most ${MAX_SEARCH_LENGTH} characters are allowed`).default("")
    .meta({
      description: "words that all occur in label or description, in any order and in part; " +
        "case and accents don't matter",
    }),
  filter_param: filterText.default({}),
  version: whole(
    MAX_NUMBER,
    "every entity that has this version, as it was at it; all else is asked of what it was",
  ).optional(),
  include_deleted: truth.default(false).meta({
    description: "also what is softly deleted",
    ...sentAs({ type: "boolean", default: false }),
  }),
});

/** The entity that a path names. @throws {Problem} `invalid_parameter` */
export function idOf(c: Context): number {
  return checked(idParameter, c.req.param(), "invalid_parameter").id;
}

/**
 * A call's query. What is unknown or comes twice is refused: passed over in silence, it would be
 * answered wrongly.
 *
 * @throws {Problem} `invalid_parameter`
 */
export function queryOf<Schema extends z.ZodType>(c: Context, schema: Schema): z.output<Schema> {
  const query: [string, string | undefined][] = [];
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length > 1) {
      throw new Problem(
        "invalid_parameter",
        `${name}: comes ${values.length} times: once is enough`,
      );
    }
    query.push([name, values[0]]);
  }
  return checked(schema, Object.fromEntries(query), "invalid_parameter");
}
