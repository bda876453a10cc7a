/**
 * What a schema expects of a value, and what it was: one wording for settings and for requests.
 *
 * @module
 */
import { z } from "zod";

const KINDS: Record<string, string> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "an object",
  string: "text",
};
const FORMATS: Record<string, string> = { url: "a URL", uuid: "a UUID" };

/** Longer values are cut in messages. */
const MAX_VALUE_LENGTH = 80;

/**
 * Says in a person's words what a schema that has none of its own expects; zod's where they are not
 * known. To be given to `safeParse` as `error`.
 */
export function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return expected(KINDS[issue.expected]);
    case "invalid_format":
      return expected(FORMATS[issue.format]);
    case "invalid_value": {
      const values = issue.values.map(String).join(", ");
      return expected(issue.values.length === 1 ? values : `one of ${values}`);
    }
    case "too_small":
      return issue.origin === "string"
        ? `at least ${issue.minimum} characters are expected`
        : `${issue.minimum} is the least`;
    case "too_big":
      return issue.origin === "string"
        ? `at most ${issue.maximum} characters are allowed`
        : `${issue.maximum} is the most`;
    case "unrecognized_keys": {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return `unknown: ${issue.keys.join(", ")}: known are ${known.join(", ")}`;
    }
    default:
      return undefined;
  }
}

const expected = (what: string | undefined) => what === undefined ? what : `${what} is expected`;

/** Names a member that is refused, with what it was: `page is "0"`, `label is missing`. */
export function named(path: readonly PropertyKey[], value: unknown): string {
  const name = path.join(".");
  if (value === undefined) return `${name} is missing`;
  if (typeof value === "object" && value !== null) return name;
  const text = JSON.stringify(value);
  return `${name} is ${
    text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text
  }`;
}
