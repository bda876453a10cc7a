import { checked } from "@fovea/http/problem_response";
import type { EntityPatch } from "@fovea/contract";
import { z } from "zod";
import { description, label, strictObject } from "./fields.ts";

/** The members that `PATCH /entity/{id}` takes: what is left out stays as it is. */
export const entityPatch = strictObject("member", {
  label: label.optional(),
  description: description.optional(),
  parent_id: z.int("a whole number or null is expected").min(1, "1 is the least").nullable()
    .optional(),
  is_deleted: z.boolean("true or false is expected").optional(),
}).meta({ id: "EntityPatch" });

/** The same, wrapped. */
export const wrappedPatch = strictObject("member", { body: entityPatch });

/**
 * Reads the body of `PATCH /entity/{id}` in either form, `{"body": {…}}` or the bare object.
 *
 * @throws {Problem} `malformed_body`
 */
export function readEntityPatch(body: unknown): EntityPatch {
  const isWrapped = typeof body === "object" && body !== null && "body" in body;
  return isWrapped
    ? checked(wrappedPatch, body, "malformed_body").body
    : checked(entityPatch, body, "malformed_body");
}
