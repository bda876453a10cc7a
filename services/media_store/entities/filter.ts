/**
 * The syntax of `filter_param`: `name:value`, several of them joined by commas, all of which must
 * hold, as in `type:image,parent_id:12`.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { MEDIA_TYPES } from "@fovea/contract";
import { z } from "zod";
import { booleanText, entityId, sha256Text, strictObject } from "./fields.ts";

/** What the parts of a filter may be. */
export const filterParts = strictObject("filter", {
  type: z.enum(MEDIA_TYPES, `one of ${MEDIA_TYPES.join(", ")} is expected`).optional(),
  mime_type: z.string().toLowerCase()
    .regex(/^[\w.+-]+\/[\w.+-]+$/, "a media type is expected, such as image/png").optional(),
  /** `null`: entities that lie in no collection. */
  parent_id: z.union(
    [z.literal("null").transform(() => null), entityId],
    "a collection's id or null is expected",
  ).optional(),
  is_collection: booleanText.optional(),
  /** The digest of the entity's bytes. */
  sha256: sha256Text.optional(),
});

/** Members that a listed entity must have. */
export type EntityFilter = z.output<typeof filterParts>;

/** Reads the text of a filter; an empty one filters nothing. */
export const filterText = z.string().transform((text, context): EntityFilter => {
  const parts = new Map<string, string>();
  const refuse = (message: string) => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  for (const part of text.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
    const [, name, value] = part.match(/^([^:]*?)\s*:\s*(.*)$/) ?? [];
    if (name === undefined || value === undefined) {
      return refuse(`"${part}" is no filter: name:value is expected, as in type:image`);
    }
    if (parts.has(name)) return refuse(`filter ${name} comes twice`);
    parts.set(name, value);
  }
  const read = filterParts.safeParse(Object.fromEntries(parts), { reportInput: true });
  if (read.success) return read.data;
  for (const issue of read.error.issues) {
    const { message, path, input } = issue;
    context.addIssue({ code: "custom", message, path, ...path.length > 0 && { input } });
  }
  return z.NEVER;
}).meta({
  description: "`name:value`, several joined by commas, all of which must hold; names are " +
    Object.keys(filterParts.shape).join(", "),
  ...sentAs({ type: "string", examples: ["type:image,parent_id:12"] }),
});
