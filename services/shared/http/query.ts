/**
 * What stands behind the question mark, read in one way by all services: numbers are digits, and what
 * is empty, unknown or comes twice is refused, as it would else be answered wrongly.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Context } from "hono";
import { z } from "zod";
import { sentAs } from "./api/sent_as.ts";
import { checked } from "./problem_response.ts";

/** The largest number that has a use anywhere in a query. */
export const MAX_NUMBER = 1_000_000_000;

/** @param more as OpenAPI shows it, such as a default */
function numberText(pattern: RegExp, kind: string, type: "integer" | "number") {
  return (
    min: number,
    max: number,
    description: string,
    more: { default?: number } = {},
  ) =>
    z.string().regex(pattern, `${kind} is expected`).transform(Number)
      .pipe(z.number().min(min, `${min} is the least`).max(max, `${max} is the most`))
      .meta({ description, ...sentAs({ type, minimum: min, maximum: max, ...more }) });
}

/** A whole number, as digits. */
export const wholeNumber = numberText(/^-?\d+$/, "a whole number", "integer");

/** A number, as digits with or without a decimal point. */
export const decimalNumber = numberText(/^-?\d+(\.\d+)?$/, "a number", "number");

/** What calls have that answer a page of a list. @param what a page has */
export const pageParameters = (what: string) => ({
  page: wholeNumber(1, MAX_NUMBER, "from 1", { default: 1 }).default(1),
  page_size: wholeNumber(1, 100, `${what} a page`, { default: 20 }).default(20),
});

/**
 * A call's query.
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
