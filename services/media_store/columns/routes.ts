/**
 * `GET /entity/columns`.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { queryOf } from "@fovea/http/query";
import { Hono } from "hono";
import { z } from "zod";
import { strictObject } from "../entities/fields.ts";
import { filterText } from "../entities/filter.ts";
import { includeDeleted } from "../entities/query.ts";
import { namesETag } from "../entities/etag.ts";
import type { LibraryColumns } from "./columns.ts";
import { COLUMN_NAMES } from "./layout.ts";

const DEFAULT_FIELDS = "id,width,height,create_date";

export const columnsQuery = strictObject("parameter", {
  fields: z.string().default(DEFAULT_FIELDS)
    .transform((text) => text.split(",").map((name) => name.trim()))
    .pipe(
      z.array(z.enum(COLUMN_NAMES, {
        error: ({ input }) => `"${input}" is no column: known are ${COLUMN_NAMES.join(", ")}`,
      })),
    ).refine((names) => new Set(names).size === names.length, "a column comes twice")
    .meta({
      description: `names, joined by commas, of ${COLUMN_NAMES.join(", ")}`,
      ...sentAs({ type: "string", default: DEFAULT_FIELDS }),
    }),
  filter_param: filterText.default({}),
  include_deleted: includeDeleted,
});

export function columnsRoutes({ columns }: { columns: LibraryColumns }): Hono {
  const routes = new Hono({ strict: false });
  routes.get("/columns", async (c) => {
    const { fields, filter_param, include_deleted } = queryOf(c, columnsQuery);
    // What the tag names is told apart by the address: a cache keeps one answer for each.
    const position = await columns.position();
    const tag = `"${position.tag}"`;
    const headers = { "ETag": tag, "Cache-Control": "no-cache" };
    const known = c.req.header("If-None-Match");
    if (known !== undefined && namesETag(known, tag)) return c.body(null, 304, headers);
    const selection = { filter: filter_param, include_deleted };
    const bytes = await columns.read(fields, selection, position);
    return c.body(bytes, 200, { ...headers, "Content-Type": "application/octet-stream" });
  });
  return routes;
}
