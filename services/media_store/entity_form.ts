import { sentAs } from "@fovea/common/api";
import { Problem } from "@fovea/contract";
import { checked } from "@fovea/common/problem_response";
import { z } from "zod";

const text = (maxLength: number) =>
  z.string().max(maxLength, `at most ${maxLength} characters are allowed`).nullable().default(null)
    .meta(sentAs({ type: "string", maxLength, default: "" }));

const flags = { truthy: ["true", "1", "yes", "on"], falsy: ["false", "0", "no", "off"] };

/** An entity's id as text: digits of a positive whole number. */
export const entityId = z.string().regex(/^[1-9]\d*$/, "a whole number from 1 is expected")
  .transform(Number).refine(Number.isSafeInteger, "number is too large")
  .meta(sentAs({ type: "integer", minimum: 1 }));

/** The fields of `POST /entity/`, its file apart. */
export const entityForm = z.object({
  is_collection: z.stringbool({ ...flags, error: "true or false is expected" })
    .meta(sentAs({ type: "boolean" })),
  label: text(255),
  description: text(10_000),
  parent_id: entityId.nullable().default(null)
    .meta(sentAs({ type: ["integer", "string"], minimum: 1, maxLength: 0, default: "" })),
});

/** What a client says of an entity that it adds. */
export type NewEntity = z.output<typeof entityForm>;

/**
 * Reads the fields of `POST /entity/`; those that it doesn't know it leaves alone.
 *
 * @throws {Problem} `missing_field`, `invalid_parameter`
 */
export function readEntityForm(fields: Map<string, string>): NewEntity {
  if (!fields.has("is_collection")) {
    throw new Problem("missing_field", "is_collection is missing: send true or false");
  }
  // A form sends an empty text where nothing was filled in.
  const filledIn = [...fields].filter(([name, value]) => value !== "" || name === "is_collection");
  return checked(entityForm, Object.fromEntries(filledIn), "invalid_parameter");
}
