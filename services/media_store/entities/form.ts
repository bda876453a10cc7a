import { sentAs } from "@fovea/http/api";
import { checked } from "@fovea/http/problem_response";
import { Problem } from "@fovea/contract";
import { z } from "zod";
import {
  booleanText,
  description,
  DESCRIPTION_LENGTH,
  entityId,
  label,
  LABEL_LENGTH,
} from "./fields.ts";

const formText = (schema: typeof label, maxLength: number) =>
  schema.default(null).meta(sentAs({ type: "string", maxLength, default: "" }));

/** The fields of a form that adds or replaces an entity, its file apart. */
export const entityForm = z.object({
  is_collection: booleanText,
  label: formText(label, LABEL_LENGTH),
  description: formText(description, DESCRIPTION_LENGTH),
  parent_id: entityId.nullable().default(null)
    .meta(sentAs({ type: ["integer", "string"], minimum: 1, maxLength: 0, default: "" })),
});

/** What a client says of an entity that it adds or replaces. */
export type NewEntity = z.output<typeof entityForm>;

/**
 * Reads the fields of `POST /entity/` and `PUT /entity/{id}`; those that it doesn't know it leaves
 * alone.
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
