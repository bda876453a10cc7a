import type { Access } from "@fovea/common/access";
import { sentAs } from "@fovea/common/api";
import { checked, jsonBody } from "@fovea/common/problem_response";
import { Problem } from "@fovea/contract";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { entityId, readEntityForm } from "./entity_form.ts";
import type { EntityService } from "./entity_service.ts";
import { imageAnswer } from "./image_answer.ts";
import type { NewBlob } from "./new_blob.ts";
import { receiveForm } from "./upload.ts";

const whole = (max: number, usual: number) =>
  z.string().regex(/^\d+$/, "a whole number is expected").transform(Number)
    .pipe(z.number().min(1, "1 is the least").max(max, `${max} is the most`)).default(usual)
    .meta(sentAs({ type: "integer", minimum: 1, maximum: max, default: usual }));

export const pageQuery = z.strictObject({
  page: whole(1_000_000_000, 1),
  page_size: whole(100, 20),
}, {
  // A filter that is passed over in silence would be answered wrongly.
  error: (issue) =>
    issue.code === "unrecognized_keys"
      ? `unknown parameter: ${issue.keys.join(", ")}: known are page and page_size`
      : undefined,
});

export const idParameter = z.object({ id: entityId });

/** Face detection's results, which are taken and not kept. */
export const faceResults = z.looseObject({}, "an object is expected");

const MAX_RESULTS_BYTES = 1024 * 1024;

/** Everything under `/entity`. */
export function entityRoutes(
  parts: {
    service: EntityService;
    access: Access;
    beginBlob: () => Promise<NewBlob>;
    maxUploadBytes: number;
  },
): Hono {
  const { service, access, beginBlob, maxUploadBytes } = parts;
  const entity = new Hono({ strict: false });

  entity.post("/", access("media_store_write"), async (c) => {
    await using form = await receiveForm(c.req.raw, maxUploadBytes, beginBlob);
    const item = await service.add(readEntityForm(form.fields), form.file);
    return c.json(item, 201, { Location: `/entity/${item.id}` });
  });

  entity.get("/", access("read"), async (c) => {
    const { page, page_size } = checked(pageQuery, c.req.query(), "invalid_parameter");
    return c.json(await service.list(page, page_size));
  });

  entity.delete("/", access("is_admin"), async (c) => {
    return c.json({ status: "deleted", deleted: await service.deleteAll() });
  });

  entity.get("/:id", access("read"), async (c) => c.json(await service.get(idOf(c))));

  entity.delete(
    "/:id",
    access("media_store_write"),
    async (c) => c.json(await service.delete(idOf(c))),
  );

  entity.get("/:id/image", access("read"), async (c) => {
    return await imageAnswer(c, service, await service.getFile(idOf(c)));
  });

  entity.post(
    "/:id/face-detection-results",
    access("media_store_write"),
    bodyLimit({
      maxSize: MAX_RESULTS_BYTES,
      onError: () => {
        throw new Problem("upload_too_large", `results are over ${MAX_RESULTS_BYTES} bytes`);
      },
    }),
    async (c) => {
      await service.get(idOf(c));
      checked(faceResults, await jsonBody(c), "malformed_body");
      return c.json({ status: "accepted" }, 202);
    },
  );

  return entity;
}

function idOf(c: Context): number {
  return checked(idParameter, c.req.param(), "invalid_parameter").id;
}
