import type { Access } from "@fovea/http/access";
import type { Info } from "@fovea/contract";
import type { Logger } from "@fovea/process/log";
import type { Hono } from "hono";
import type { Kysely } from "kysely";
import type { Registry } from "prom-client";
import { createApp } from "../app.ts";
import type { Tables } from "../database/tables.ts";
import manifest from "../deno.json" with { type: "json" };
import type { ResultDelivery } from "../delivery/result_delivery.ts";
import type { EventFeed } from "../events/event_feed.ts";
import type { Outbox } from "../events/outbox.ts";
import type { FollowedStore } from "../followed_store.ts";
import type { MediaStore } from "../media_store.ts";
import type { MediaStoreOutage } from "../media_store_outage.ts";
import { backlogMetrics } from "../metrics/backlog_metrics.ts";
import { workerMetrics } from "../metrics/worker_metrics.ts";
import { readinessChecks } from "../readiness.ts";
import type { Settings } from "../settings.ts";
import { BACKEND_NAMES } from "../runtime/backend.ts";
import type { ServedModels } from "../tasks/served_models.ts";
import type { WorkerPool } from "../workers/pool.ts";
import type { Broker } from "./broker.ts";
import type { Queue } from "./queue.ts";

/** What is shown of the service, and called. */
export interface HttpParts {
  settings: Settings;
  access: Access;
  db: Kysely<Tables>;
  broker: Broker;
  mediaStore: MediaStore;
  outage: MediaStoreOutage;
  followedStore: FollowedStore;
  outbox: Outbox;
  feed: EventFeed;
  pool: WorkerPool;
  models: ServedModels;
  queue: Queue;
  delivery: ResultDelivery;
  metrics: Registry;
  log: Logger;
}

/** The service as others see it: its calls, its metrics, and whether it is ready. */
export function openHttp(
  { settings, access, db, broker, mediaStore, pool, models, queue, feed, metrics, log, ...parts }:
    HttpParts,
): Hono {
  const { outage, followedStore, outbox, delivery } = parts;
  const observed = {
    tasks: () => models.describe(),
    outbox: () => outbox.state(),
    workers: () => pool.state,
  };
  backlogMetrics(metrics, {
    ...observed,
    stats: () => queue.administration.stats(),
    undelivered: () => delivery.pending(),
    brokerConnected: () => broker.link.trouble === null,
    isPaused: () => outage.reason !== null,
  });
  workerMetrics(metrics, observed.workers);
  const checks = readinessChecks({
    ...observed,
    db,
    mediaStore,
    outage: () => outage.reason,
    storeTrouble: () => followedStore.check(),
    brokerTrouble: () => broker.link.trouble,
  });
  const info = (): Info => ({
    name: "fovea-inference",
    version: manifest.version,
    mqtt_url: broker.url,
    mqtt_built_in: broker.isEmbedded,
    tasks: models.describe(),
    workers: pool.size,
    backend: BACKEND_NAMES[settings.INFERENCE_BACKEND],
  });
  return createApp({
    ...queue,
    workers: observed.workers,
    feed,
    access,
    info,
    checks,
    accept: broker.accept,
    callers: { hostname: settings.INFERENCE_HOST, ...settings },
    basePath: settings.BASE_PATH,
    log,
    metrics,
  });
}
