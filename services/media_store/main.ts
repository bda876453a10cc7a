/**
 * Starts media_store: settings, folder, database, service, server, in this order, and closes them
 * when it is asked to end.
 *
 * @module
 */
import { openAccess } from "@fovea/common/access";
import { claimFolder } from "@fovea/common/folder";
import { openLog } from "@fovea/common/log";
import { processMetrics } from "@fovea/common/process_metrics";
import { askedToEnd, listen, runService } from "@fovea/common/serve";
import { readSettings, refuseInsecure } from "@fovea/common/settings";
import { openSqlite } from "@fovea/common/sqlite";
import { Registry } from "prom-client";
import { mediaStoreApp } from "./app.ts";
import { BlobStore } from "./blob_store.ts";
import { EntityRepository } from "./entity_repository.ts";
import { EntityService } from "./entity_service.ts";
import { Inspector } from "./inspector.ts";
import { migrations, type Tables } from "./migrations.ts";
import { mediaStoreSettings } from "./settings.ts";
import { storeMetrics } from "./store_metrics.ts";

await runService(async () => {
  const settings = readSettings(mediaStoreSettings, Deno.env);
  const { MEDIA_STORE_HOST: hostname, MEDIA_STORE_PORT: port } = settings;
  refuseInsecure(settings, { MEDIA_STORE_HOST: hostname });
  const log = openLog("media_store", settings);
  const access = await openAccess(settings);

  using folder = await claimFolder(settings.DATA_DIR, "media_store");
  await using db = await openSqlite<Tables>(`${folder.path}/entities.sqlite`, migrations);
  const blobs = await BlobStore.open(folder.path);
  using inspector = new Inspector();
  const entities = new EntityRepository(db);
  const service = new EntityService({
    entities,
    blobs,
    inspector,
    maxPixels: settings.MAX_IMAGE_PIXELS,
  });
  await service.recover(log);

  const metrics = new Registry();
  using _ = processMetrics(metrics);
  storeMetrics(metrics, {
    bytesReceived: () => blobs.bytesReceived,
    tally: () => entities.tally(),
  });
  const app = mediaStoreApp({
    service,
    blobs,
    access,
    log,
    maxUploadBytes: settings.MAX_UPLOAD_BYTES,
    metrics,
  });
  const server = listen({ hostname, port, portSetting: "MEDIA_STORE_PORT" }, app.fetch);
  log.info({ url: server.url }, "listening");

  log.info({ signal: await askedToEnd() }, "ending");
  await server.shutdown();
});
