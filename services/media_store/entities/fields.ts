/**
 * What single members of an entity may be, wherever a client says them.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { z } from "zod";

/** An entity's id as text: digits of a positive whole number. */
export const entityId = z.string().regex(/^[1-9]\d*$/, "a whole number from 1 is expected")
  .transform(Number).refine(Number.isSafeInteger, "number is too large")
  .meta(sentAs({ type: "integer", minimum: 1 }));

/** The digest of bytes, in capitals or not. */
export const sha256Text = z.string().toLowerCase()
  .regex(/^[0-9a-f]{64}$/, "64 digits of hex are expected");

/** `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`. */
export const booleanText = z.stringbool({
  truthy: ["true", "1", "yes", "on"],
  falsy: ["false", "0", "no", "off"],
  error: "true or false is expected",
}).meta(sentAs({ type: "boolean" }));

const text = (maxLength: number) =>
  z.string("text or null is expected").max(maxLength, `at most ${maxLength} characters are allowed`)
    // SQL text ends at a NUL, and UTF-8 has no halves: kept, they would come back as something else.
    .refine(
      (value) => value.isWellFormed() && !value.includes("\0"),
      "text without NUL and unpaired surrogates is expected",
    )
    .nullable();

/** Characters that they may have. */
export const LABEL_LENGTH = 255;
export const DESCRIPTION_LENGTH = 10_000;

export const label = text(LABEL_LENGTH);
export const description = text(DESCRIPTION_LENGTH);

/**
 * An object that has no members but these.
 *
 * @param what what a member is called where one is refused
 */
export function strictObject<Shape extends z.ZodRawShape>(what: string, shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `unknown ${what}: ${issue.keys.join(", ")}: known are ${Object.keys(shape).join(", ")}`
        : undefined,
  });
}
