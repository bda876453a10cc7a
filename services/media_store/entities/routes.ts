/**
 * Calls that add, find, change and delete entities.
 *
 * @module
 */
import { basePathOf } from "@fovea/http/base_path";
import { checked, jsonBody } from "@fovea/http/problem_response";
import { queryOf } from "@fovea/http/query";
import type { Item } from "@fovea/contract";
import { type Context, Hono } from "hono";
import type { NewBlob } from "../blobs/new_blob.ts";
import { receiveForm } from "../transfer/upload.ts";
import { entityForm, readEntityForm } from "./form.ts";
import { knownQuestion } from "./known.ts";
import { readEntityPatch } from "./patch.ts";
import { idOf, itemQuery, listQuery } from "./query.ts";
import type { EntityService } from "./service.ts";
import { entityETag, namesETag } from "./etag.ts";

export function entityRoutes(
  parts: {
    service: EntityService;
    beginBlob: () => Promise<NewBlob>;
    maxUploadBytes: number;
  },
): Hono {
  const { service, beginBlob, maxUploadBytes } = parts;
  const entity = new Hono({ strict: false });
  const receive = (c: Context) =>
    receiveForm(c.req.raw, {
      fields: Object.keys(entityForm.shape),
      maxFileBytes: maxUploadBytes,
      begin: beginBlob,
    });

  entity.post("/", async (c) => {
    await using form = await receive(c);
    const { item, isNew } = await service.add(readEntityForm(form.fields), form.file);
    return isNew
      ? itemAnswer(c, item, 201, {
        Location: `${basePathOf(c)}/entity/${item.id}`,
      })
      : itemAnswer(c, item);
  });

  entity.get("/", async (c) => {
    const { page, page_size, filter_param, search_query, ...others } = queryOf(c, listQuery);
    const selection = { filter: filter_param, search: search_query, ...others };
    return c.json(await service.list(page, page_size, selection));
  });

  entity.delete("/", async (c) => {
    return c.json({ status: "deleted", deleted: await service.deleteAll() });
  });

  entity.post("/known", async (c) => {
    const { sha256 } = checked(knownQuestion, await jsonBody(c), "malformed_body");
    return c.json(await service.known(sha256));
  });

  entity.get("/:id", async (c) => {
    const item = await service.get(idOf(c), queryOf(c, itemQuery).version);
    const known = c.req.header("If-None-Match");
    if (known === undefined || !namesETag(known, entityETag(item))) return itemAnswer(c, item);
    return c.body(null, 304, itemHeaders(item));
  });

  entity.put("/:id", async (c) => {
    const id = idOf(c);
    const ifMatch = c.req.header("If-Match");
    // Before a large file is taken in for nothing.
    await service.getToChange(id, ifMatch);
    await using form = await receive(c);
    const entity = readEntityForm(form.fields);
    return itemAnswer(c, await service.replace(id, entity, form.file, ifMatch));
  });

  entity.patch("/:id", async (c) => {
    const patch = readEntityPatch(await jsonBody(c));
    return itemAnswer(c, await service.patch(idOf(c), patch, c.req.header("If-Match")));
  });

  entity.delete("/:id", async (c) => {
    return c.json(await service.delete(idOf(c), c.req.header("If-Match")));
  });

  return entity;
}

const itemHeaders = (item: Item) => ({
  "ETag": entityETag(item),
  "Cache-Control": "no-cache",
});

function itemAnswer(
  c: Context,
  item: Item,
  status: 200 | 201 = 200,
  headers: Record<string, string> = {},
): Response {
  return c.json(item, status, { ...itemHeaders(item), ...headers });
}
