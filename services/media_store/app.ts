/**
 * media_store's HTTP side, put together.
 *
 * @module
 */
import { type Access, accessGuard } from "@fovea/http/access";
import { httpApp, type HttpOptions } from "@fovea/http/http_app";
import { selfRoutes } from "@fovea/http/self_routes";
import { MEDIA_STORE_RIGHTS } from "@fovea/contract";
import type { Hono } from "hono";
import { describeMediaStore } from "./api/document.ts";
import type { Spool } from "./blobs/spool.ts";
import manifest from "./deno.json" with { type: "json" };
import { entitySubresourceRoutes } from "./entities/subresource_routes.ts";
import { entityRoutes } from "./entities/routes.ts";
import type { EntityService } from "./entities/service.ts";
import type { ChangeFeed } from "./changes/feed.ts";
import type { ChangeRepository } from "./changes/repository.ts";
import { changeRoutes } from "./changes/routes.ts";
import type { LibraryColumns } from "./columns/columns.ts";
import { columnsRoutes } from "./columns/routes.ts";
import { storeRoutes } from "./entities/store_routes.ts";
import type { TransactionRepository } from "./entities/transactions.ts";
import { healthRoutes } from "./health_routes.ts";
import { thumbnailRoutes } from "./thumbnails/routes.ts";
import type { Thumbnails } from "./thumbnails/thumbnails.ts";

const SELF = { name: "fovea-media-store", version: manifest.version };

/** @param parts `metrics` is where the figures of the HTTP side go */
export function mediaStoreApp(
  parts: HttpOptions & {
    service: EntityService;
    transactions: TransactionRepository;
    changes: ChangeRepository;
    feed: ChangeFeed;
    columns: LibraryColumns;
    spool: Spool;
    thumbnails: Thumbnails;
    access: Access;
    maxUploadBytes: number;
  },
): Hono {
  const { service, transactions, changes, feed, columns, spool, thumbnails, access, log } = parts;
  const { maxUploadBytes, metrics } = parts;
  const app = httpApp(parts);
  app.use(accessGuard(access, MEDIA_STORE_RIGHTS));
  app.route("/", selfRoutes({ ...SELF, describe: describeMediaStore, metrics }));
  app.route("/health", healthRoutes(service, log));
  app.route("/changes", changeRoutes({ changes, feed }));
  // Before the calls to one entity: "columns" is no id.
  app.route("/entity", columnsRoutes({ columns }));
  app.route(
    "/entity",
    entityRoutes({ service, beginBlob: () => spool.receive(), maxUploadBytes }),
  );
  app.route("/store", storeRoutes({ transactions }));
  app.route("/entity", entitySubresourceRoutes({ service }));
  app.route("/entity", thumbnailRoutes({ service, thumbnails }));
  return app;
}
