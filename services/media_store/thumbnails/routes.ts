/**
 * `GET /entity/{id}/thumbnail` over HTTP.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { queryOf } from "@fovea/http/query";
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { z } from "zod";
import { strictObject } from "../entities/fields.ts";
import { idOf, itemQuery } from "../entities/query.ts";
import type { EntityService } from "../entities/service.ts";
import { cacheHeaders, isNotModified, validatorsOf } from "../transfer/preconditions.ts";
import { FORMATS, SIZES, type ThumbnailFormat } from "./thumbnail.ts";
import type { Thumbnails } from "./thumbnails.ts";

const oneOf = (values: readonly (string | number)[]) => `one of ${values.join(", ")} is expected`;

export const thumbnailQuery = strictObject("parameter", {
  size: z.enum(SIZES.map(String), oneOf(SIZES)).default("256")
    .transform((text) => SIZES.find((size) => String(size) === text)!)
    .meta({
      description: "pixels of the longest side; a smaller picture keeps its size",
      ...sentAs({ type: "integer", enum: [...SIZES], default: 256 }),
    }),
  format: z.enum(FORMATS, oneOf(FORMATS)).optional()
    .meta({ description: "else WebP, unless Accept prefers JPEG" }),
  ...itemQuery.shape,
});

/** To be mounted where entities are. */
export function thumbnailRoutes(
  { service, thumbnails }: {
    service: EntityService;
    thumbnails: Thumbnails;
  },
): Hono {
  const routes = new Hono({ strict: false });
  routes.get("/:id/thumbnail", async (c) => {
    const { size, format = acceptedFormat(c), version } = queryOf(c, thumbnailQuery);
    const item = await service.getFile(idOf(c), version);
    const validators = validatorsOf(thumbnails.key(item, size, format), item.updated_date);
    const headers = { ...cacheHeaders(validators), "Vary": "Accept" };
    if (isNotModified(c.req.raw.headers, validators)) return c.body(null, 304, headers);
    const bytes = await thumbnails.get(item, size, format).catch(async (error) => {
      // It may have been deleted since it was looked up; if not, its file is lost.
      if (error instanceof Deno.errors.NotFound) await service.get(item.id);
      throw error;
    });
    return c.body(bytes, 200, {
      ...headers,
      "Content-Type": `image/${format}`,
      "Content-Length": String(bytes.length),
      "X-Content-Type-Options": "nosniff",
    });
  });
  return routes;
}

/** WebP, unless the client would rather have JPEG. */
function acceptedFormat(c: Context): ThumbnailFormat {
  const type = accepts(c, {
    header: "Accept",
    supports: ["image/webp", "image/jpeg"],
    default: "image/webp",
  });
  return type === "image/jpeg" ? "jpeg" : "webp";
}
