/**
 * Starts media_store: settings, folder, database, service, server, in this order, and closes them
 * when it is asked to end. With options it checks the store or backs it up instead.
 *
 * @module
 */
import { openAccess } from "@fovea/http/access";
import { claimFolder } from "@fovea/storage/folder";
import { openLog } from "@fovea/process/log";
import { processMetrics } from "@fovea/process/process_metrics";
import { threadPermissions } from "@fovea/process/permissions";
import { askedToEnd, listen, runService } from "@fovea/http/serve";
import { readTls } from "@fovea/http/tls";
import { readSettings, refuseInsecure } from "@fovea/process/settings";
import { watchFile } from "@fovea/storage/opened_file";
import { RunningTime } from "@fovea/storage/running_time";
import { openSqlite } from "@fovea/storage/sqlite";
import { UpdateCopy } from "@fovea/storage/update_copy";
import { Registry } from "prom-client";
import { mediaStoreApp } from "./app.ts";
import { BlobStore } from "./blobs/blob_store.ts";
import { Spool } from "./blobs/spool.ts";
import { ChangeFeed } from "./changes/feed.ts";
import { ChangeRepository } from "./changes/repository.ts";
import { LibraryColumns } from "./columns/columns.ts";
import { runMaintenanceCommand } from "./maintenance/command.ts";
import { EntityListing } from "./entities/listing.ts";
import { migrations, type Tables } from "./entities/migrations.ts";
import { EntityRepository } from "./entities/repository.ts";
import { EntityService } from "./entities/service.ts";
import { readStatistics } from "./entities/statistics.ts";
import { TransactionRepository } from "./entities/transactions.ts";
import { VersionRepository } from "./entities/versions.ts";
import { Inspector } from "./media/inspector.ts";
import { mediaStoreSettings } from "./settings.ts";
import { storeMetrics } from "./store_metrics.ts";
import { ThumbnailCache } from "./thumbnails/cache.ts";
import { Thumbnails } from "./thumbnails/thumbnails.ts";

if (Deno.args.length > 0) Deno.exit(await runMaintenanceCommand(Deno.args));

await runService(async () => {
  const settings = readSettings(mediaStoreSettings, Deno.env);
  const { MEDIA_STORE_HOST: hostname, MEDIA_STORE_PORT: port } = settings;
  refuseInsecure(settings, { MEDIA_STORE_HOST: hostname });
  const log = openLog("media_store", settings);
  const access = await openAccess(settings);
  const tls = await readTls(settings);

  using folder = await claimFolder(settings.DATA_DIR, "media_store");
  await using db = await openSqlite<Tables>(
    `${folder.path}/entities.sqlite`,
    migrations,
    "power_cut",
    (copy) => log.info({ copy }, "database copied before its tables are brought up to date"),
  );
  using _watch = watchFile(`${folder.path}/entities.sqlite`, log);
  await using runningTime = await RunningTime.open({ db, log });
  using updateCopy = await UpdateCopy.open({
    path: `${folder.path}/entities.sqlite`,
    db,
    runningTime,
    log,
  });
  const spool = await Spool.open(folder.path);
  const blobs = await BlobStore.open(folder.path, spool);
  const cache = await ThumbnailCache.open(folder.path, spool, blobs);
  const maxPixels = settings.MAX_IMAGE_PIXELS;
  const idleMs = settings.THREAD_IDLE_SECONDS * 1000 || undefined;
  // Whatever bytes that others have sent make a parser do.
  const permissions = threadPermissions([folder.path]);
  using inspector = new Inspector({ permissions, idleMs });
  using thumbnails = new Thumbnails({ blobs, cache, maxPixels, log, idleMs, permissions });
  const transactions = new TransactionRepository(db);
  const changes = new ChangeRepository(db, transactions);
  const feed = new ChangeFeed(changes);
  const service = new EntityService({
    entities: new EntityRepository(db, () => feed.wake()),
    versions: new VersionRepository(db),
    listing: new EntityListing(db),
    blobs,
    spool,
    derived: {
      async remove(path) {
        await cache.remove(path);
        await updateCopy.onDeletion();
      },
    },
    inspector,
    maxPixels,
  });
  await service.recover(log);

  const metrics = new Registry();
  using _ = processMetrics(metrics);
  storeMetrics(metrics, {
    bytesReceived: () => spool.bytesReceived,
    statistics: () => readStatistics(db),
    thumbnails: () => thumbnails.counts,
  });
  const app = mediaStoreApp({
    service,
    transactions,
    changes,
    feed,
    columns: new LibraryColumns(db, transactions),
    spool,
    thumbnails,
    access,
    log,
    maxUploadBytes: settings.MAX_UPLOAD_BYTES,
    callers: { hostname, ...settings },
    basePath: settings.BASE_PATH,
    metrics,
  });
  const server = listen({
    hostname,
    port,
    portSetting: "MEDIA_STORE_PORT",
    tls,
    limits: { maxConnections: settings.MAX_CONNECTIONS },
    log,
  }, app.fetch);
  log.info({ url: server.url }, "listening");

  log.info({ signal: await askedToEnd(server) }, "ending");
  feed.close();
  await server.shutdown();
});
