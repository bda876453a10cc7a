/**
 * The parts that inference is made of, each made of those before it, and which wakes which.
 *
 * @module
 */
import type { Access } from "@fovea/http/access";
import type { Logger } from "@fovea/process/log";
import { Registry } from "prom-client";
import { ResultDelivery } from "../delivery/result_delivery.ts";
import { EventFeed } from "../events/event_feed.ts";
import { Outbox } from "../events/outbox.ts";
import { FollowedStore } from "../followed_store.ts";
import { Dispatcher } from "../jobs/dispatcher.ts";
import { digestOf, type MediaStoreAddress, openMediaStore } from "../media_store.ts";
import { MediaStoreOutage, probeMediaStore } from "../media_store_outage.ts";
import { jobMetrics } from "../metrics/job_metrics.ts";
import type { Settings } from "../settings.ts";
import { TASKS } from "../tasks/list.ts";
import { openBroker } from "./broker.ts";
import type { Database } from "./database.ts";
import { openHttp } from "./http.ts";
import { openQueue } from "./queue.ts";
import { Signals } from "./signals.ts";
import { openWorkers } from "./workers.ts";

export interface PartsOptions extends Database {
  settings: Settings;
  access: Access;
  address: MediaStoreAddress;
  /** What workers run, in place of the real thing. */
  workerScript: URL | undefined;
  /** Aborts when the service ends. */
  ending: AbortSignal;
  log: Logger;
}

export type Parts = Awaited<ReturnType<typeof openParts>>;

export async function openParts(
  { settings, access, address, workerScript, ending, log, ...database }: PartsOptions,
) {
  const signals = new Signals();
  const { db, runningTime, updateCopy } = database;
  const ambient = { db, now: Date.now, random: Math.random, log };

  const onConnect = signals.brokerConnected.emit;
  const broker = await openBroker({ ...ambient, settings, access, onConnect });
  const retainMs = settings.EVENT_RETAIN_MINUTES * 60_000;
  const outbox = new Outbox({
    ...ambient,
    publish: broker.link.publish,
    retainMs,
    now: runningTime.now,
  });
  const feed = new EventFeed(ambient);

  const mediaStore = openMediaStore(address);
  const probe = (signal: AbortSignal) => probeMediaStore(mediaStore, signal);
  const outage = new MediaStoreOutage({ ...ambient, probe, onEnd: signals.mediaStoreBack.emit });
  const followedStore = new FollowedStore({ ...ambient, mediaStore });

  const onFree = signals.workerFree.emit;
  const { pool, models } = openWorkers({ settings, address, workerScript, ending, onFree, log });
  const queue = openQueue({
    ...ambient,
    models,
    limit: settings.QUEUE_LIMIT,
    digestOf: async (id) => outage.reason === null ? await digestOf(mediaStore, id) : null,
    onCommit: signals.committed.emit,
    onCompleted: signals.jobCompleted.emit,
    onCancelled: signals.jobCancelled.emit,
    runningMs: runningTime.now,
    onRemoved: () => void updateCopy.onDeletion(),
  });
  const dispatcher = new Dispatcher({ ...ambient, ...queue, pool, models, outage });
  const delivery = new ResultDelivery({ ...ambient, ...queue, mediaStore });

  const metrics = new Registry();
  const countEvents = jobMetrics(metrics);
  const served = { outbox, feed, outage, followedStore, pool, models, queue, delivery };
  const app = openHttp({ ...served, settings, access, db, broker, mediaStore, metrics, log });

  signals.committed.on((events) => {
    countEvents(events);
    dispatcher.wake();
    outbox.wake();
    feed.wake();
  });
  signals.jobCompleted.on(({ task_type }) => {
    if (TASKS.get(task_type).delivery !== undefined) delivery.wake();
    followedStore.wake();
  });
  signals.jobCancelled.on((seq) => dispatcher.cancel(seq));
  signals.workerFree.on(() => dispatcher.wake());
  signals.mediaStoreBack.on(() => dispatcher.wake());
  signals.brokerConnected.on((remembers) => outbox.resume(remembers));

  return { ...served, broker, dispatcher, metrics, app };
}
