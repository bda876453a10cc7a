/**
 * media_store's HTTP side, put together.
 *
 * @module
 */
import type { Access } from "@fovea/common/access";
import type { Logger } from "@fovea/common/log";
import { answerProblems } from "@fovea/common/problem_response";
import { discardUnreadBody } from "@fovea/common/unread_body";
import { Hono } from "hono";
import type { BlobStore } from "./blobs/blob_store.ts";
import manifest from "./deno.json" with { type: "json" };
import { entityPartRoutes } from "./entities/part_routes.ts";
import { entityRoutes } from "./entities/routes.ts";
import type { EntityService } from "./entities/service.ts";
import { healthRoutes } from "./health_routes.ts";
import { thumbnailRoutes } from "./thumbnails/routes.ts";
import type { Thumbnails } from "./thumbnails/thumbnails.ts";

export function mediaStoreApp(
  parts: {
    service: EntityService;
    blobs: BlobStore;
    thumbnails: Thumbnails;
    access: Access;
    log: Logger;
    maxUploadBytes: number;
  },
): Hono {
  const { service, blobs, thumbnails, access, log, maxUploadBytes } = parts;
  const app = new Hono({ strict: false });
  app.use(discardUnreadBody);
  app.use(async (c, next) => {
    const start = performance.now();
    await next();
    const { method, path } = c.req;
    const { status } = c.res;
    const isRead = method === "GET" || method === "HEAD";
    const level = status >= 500 ? "warn" : isRead ? "debug" : "info";
    log[level]({ method, path, status, ms: Math.round(performance.now() - start) }, "request");
  });
  app.get("/", (c) =>
    c.json({
      name: "fovea-media-store",
      version: manifest.version,
      message: "Welcome to Fovea's media_store: entities are at /entity/, health is at /health",
    }));
  app.route("/health", healthRoutes(service, log));
  app.route(
    "/entity",
    entityRoutes({ service, access, beginBlob: () => blobs.begin(), maxUploadBytes }),
  );
  app.route("/entity", entityPartRoutes({ service, access }));
  app.route("/entity", thumbnailRoutes({ service, access, thumbnails }));
  answerProblems(app, log);
  return app;
}
