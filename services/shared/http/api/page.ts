import type { Page } from "@fovea/contract";
import { z } from "zod";
import { schemaOf } from "./schema_of.ts";

const pagination = schemaOf<Page<unknown>["pagination"]>()({
  page: z.int().min(1),
  page_size: z.int(),
  total_items: z.int(),
  total_pages: z.int(),
  has_next: z.boolean(),
  has_prev: z.boolean(),
}).meta({ id: "Pagination" });

/** A page of a listing. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), pagination });
}
