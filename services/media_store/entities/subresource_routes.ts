/**
 * Calls about the sub-resources of an entity: its bytes, its versions, and what was found in it.
 *
 * @module
 */
import { checked, jsonBody } from "@fovea/http/problem_response";
import { queryOf } from "@fovea/http/query";
import { Hono } from "hono";
import { z } from "zod";
import { imageAnswer } from "./image_answer.ts";
import { idOf, itemQuery } from "./query.ts";
import type { EntityService } from "./service.ts";

/** Body of `POST /entity/{id}/face-detection-results`: any object. */
export const faceDetectionResults = z.looseObject({}, "an object is expected");

export function entitySubresourceRoutes(
  { service }: { service: EntityService },
): Hono {
  const routes = new Hono({ strict: false });

  routes.get("/:id/image", async (c) => {
    const { version } = queryOf(c, itemQuery);
    return await imageAnswer(c, service, await service.getFile(idOf(c), version));
  });

  routes.get("/:id/versions", async (c) => c.json(await service.versions(idOf(c))));

  routes.post(
    "/:id/face-detection-results",
    async (c) => {
      await service.get(idOf(c));
      checked(faceDetectionResults, await jsonBody(c), "malformed_body");
      return c.json({ status: "accepted" }, 202);
    },
  );

  return routes;
}
