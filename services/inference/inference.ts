/**
 * inference put together: what it is made of, the order in which it starts, and that in which it ends.
 *
 * @module
 */
import { openAccess } from "@fovea/http/access";
import { claimFolder } from "@fovea/storage/folder";
import { openLog } from "@fovea/process/log";
import { processMetrics } from "@fovea/process/process_metrics";
import { publicAddress } from "@fovea/process/public_address";
import { askedToEnd, listen } from "@fovea/http/serve";
import { refuseInsecure, SettingsError } from "@fovea/process/settings";
import { watchFile } from "@fovea/storage/opened_file";
import { RunningTime } from "@fovea/storage/running_time";
import { openSqlite } from "@fovea/storage/sqlite";
import { UpdateCopy } from "@fovea/storage/update_copy";
import { type Info, Problem } from "@fovea/contract";
import { fetchInChildProcess } from "@fovea/models";
import { Registry } from "prom-client";
import { createApp } from "./app.ts";
import manifest from "./deno.json" with { type: "json" };
import { ResultDelivery } from "./delivery/result_delivery.ts";
import { BrokerLink } from "./events/broker_link.ts";
import { startBroker } from "./broker/embedded_broker.ts";
import { byToken } from "./broker/permissions.ts";
import { EventFeed } from "./events/event_feed.ts";
import { Outbox } from "./events/outbox.ts";
import { assembleQueue } from "./jobs/assemble.ts";
import { Dispatcher } from "./jobs/dispatcher.ts";
import { keepJobsFor } from "./jobs/retention.ts";
import { MIGRATIONS, type Tables } from "./database/tables.ts";
import { backlogMetrics } from "./metrics/backlog_metrics.ts";
import { jobMetrics } from "./metrics/job_metrics.ts";
import { workerMetrics } from "./metrics/worker_metrics.ts";
import { MediaStoreOutage, probeMediaStore } from "./media_store_outage.ts";
import { digestOf, mediaStoreAddress, openMediaStore } from "./media_store.ts";
import { ServedModels } from "./tasks/served_models.ts";
import { workerPermissions } from "./permissions.ts";
import { readinessChecks } from "./readiness.ts";
import { FollowedStore } from "./followed_store.ts";
import type { Settings } from "./settings.ts";
import { loadNativeRuntime } from "./native/runtime.ts";
import { BACKEND_NAMES } from "./tasks/backend.ts";
import { TASKS } from "./tasks/list.ts";
import { SharedTowers } from "./tasks/shared_towers.ts";
import { WorkerPool } from "./workers/pool.ts";

/** For a job in a worker: far more than the largest picture allowed needs. */
const JOB_DEADLINE_MS = 60_000;

/** For running jobs, and then for waiting events, to end when the service does. */
const GRACE_MS = 5000;

/**
 * Serves until the process is asked to end.
 *
 * @param workerScript what workers run, in place of the real thing
 * @throws {SettingsError} where it can't start with these settings
 */
export async function serveInference(settings: Settings, workerScript?: URL): Promise<void> {
  refuseInsecure(settings, { INFERENCE_HOST: settings.INFERENCE_HOST });
  if (settings.INFERENCE_BACKEND === "native") requireNativeRuntime();
  const access = await openAccess(settings);
  const address = await mediaStoreAddress(settings);
  const log = openLog("inference", settings);

  using folder = await claimFolder(settings.DATA_DIR, "inference");
  await using db = await openSqlite<Tables>(
    `${folder.path}/inference.sqlite`,
    MIGRATIONS,
    "crash",
    (copy) => log.info({ copy }, "database copied before its tables are brought up to date"),
  );
  using _watch = watchFile(`${folder.path}/inference.sqlite`, log);
  await using runningTime = await RunningTime.open({ db, log });
  using updateCopy = await UpdateCopy.open({
    path: `${folder.path}/inference.sqlite`,
    db,
    runningTime,
    log,
  });
  const { client_id: clientId } = await db.selectFrom("instance").selectAll()
    .executeTakeFirstOrThrow();

  const broker = settings.MQTT_URL === undefined
    ? await startBroker({
      port: settings.MQTT_PORT,
      maxConnections: settings.MAX_CONNECTIONS,
      log,
      ...settings.AUTH_MODE === "jwt" && { authorize: byToken(access) },
    })
    : null;
  const link = broker ?? new BrokerLink({
    url: settings.MQTT_URL!,
    tls: {
      ca: settings.MQTT_CA_FILE,
      cert: settings.MQTT_CERT_FILE,
      key: settings.MQTT_KEY_FILE,
    },
    clientId,
    onConnect: (remembers) => outbox.resume(remembers),
    log,
  });
  const outbox = new Outbox({
    db,
    publish: link.publish,
    retainMs: settings.EVENT_RETAIN_MINUTES * 60_000,
    now: runningTime.now,
    log,
  });

  const metrics = new Registry();
  using _ = processMetrics(metrics);
  const countEvents = jobMetrics(metrics);

  const feed = new EventFeed({ db });
  const mediaStore = openMediaStore(address);
  const pool = new WorkerPool({
    size: settings.INFERENCE_WORKERS,
    settings: {
      source: { ...address, maxBytes: settings.MAX_UPLOAD_BYTES },
      maxPixels: settings.MAX_IMAGE_PIXELS,
      backend: settings.INFERENCE_BACKEND,
      shrinkWhileDecoding: settings.SHRINK_WHILE_DECODING,
    },
    towers: settings.INFERENCE_BACKEND === "native" ? null : new SharedTowers({
      precision: settings.EMBEDDING_PRECISION,
      workers: settings.INFERENCE_WORKERS,
      log,
    }),
    permissions: workerPermissions(settings),
    deadlineMs: JOB_DEADLINE_MS,
    idleMs: settings.WORKER_IDLE_SECONDS * 1000 || Infinity,
    log,
    onFree: () => dispatcher.wake(),
    ...workerScript !== undefined && { script: workerScript },
  });
  const ending = new AbortController();
  const models = new ServedModels({
    choices: settings.modelChoices,
    fetchFirst: (candidates, events) =>
      fetchInChildProcess(candidates, {
        ...events,
        signal: ending.signal,
        modelsDir: settings.MODELS_DIR,
        mirror: settings.MODEL_MIRROR,
        onNotice: (sentence) => log.info(sentence),
      }),
    load: (task, model) => pool.load(task, model),
    log,
  });
  const { transactions, jobs, attempts, administration } = assembleQueue({
    db,
    models,
    limit: settings.QUEUE_LIMIT,
    digestOf: (entityId) =>
      outage.reason === null ? digestOf(mediaStore, entityId) : Promise.resolve(null),
    onCommit: (emitted) => {
      countEvents(emitted);
      dispatcher.wake();
      outbox.wake();
      feed.wake();
    },
    onCompleted: ({ task_type }) => {
      if (TASKS.get(task_type).delivery !== undefined) delivery.wake();
      followedStore.wake();
    },
    onCancelled: (seq) => dispatcher.cancel(seq),
    runningMs: runningTime.now,
    onRemoved: () => void updateCopy.onDeletion(),
  });
  const delivery = new ResultDelivery({
    db,
    transactions,
    mediaStore,
    now: Date.now,
    random: Math.random,
    log,
  });
  const followedStore = new FollowedStore({ db, mediaStore, log });
  const outage = new MediaStoreOutage({
    probe: (signal) => probeMediaStore(mediaStore, signal),
    onEnd: () => dispatcher.wake(),
    random: Math.random,
    log,
  });
  const dispatcher = new Dispatcher({ attempts, pool, models, outage, now: Date.now, log });

  const info = (): Info => ({
    name: "fovea-inference",
    version: manifest.version,
    mqtt_url: broker?.url ?? publicAddress(settings.MQTT_URL!),
    tasks: models.describe(),
    workers: pool.size,
    backend: BACKEND_NAMES[settings.INFERENCE_BACKEND],
  });
  const checks = readinessChecks({
    db,
    tasks: () => models.describe(),
    workers: () => pool.state,
    mediaStore,
    outage: () => outage.reason,
    storeTrouble: () => followedStore.check(),
    brokerTrouble: () => link.trouble,
    outbox: () => outbox.state(),
  });
  backlogMetrics(metrics, {
    stats: () => administration.stats(),
    outbox: () => outbox.state(),
    undelivered: () => delivery.pending(),
    brokerConnected: () => link.trouble === null,
    isPaused: () => outage.reason !== null,
    tasks: () => models.describe(),
  });
  workerMetrics(metrics, () => pool.state);
  const app = createApp({
    jobs,
    administration,
    workers: () => pool.state,
    feed,
    access,
    info,
    checks,
    accept: broker?.accept,
    callers: { hostname: settings.INFERENCE_HOST, ...settings },
    log,
    metrics,
  });

  await followedStore.check();
  await attempts.recover();
  dispatcher.start();
  // A broker that has just come up remembers nothing.
  if (broker !== null) outbox.resume(false);
  delivery.wake();
  const server = listen({
    hostname: settings.INFERENCE_HOST,
    port: settings.INFERENCE_PORT,
    portSetting: "INFERENCE_PORT",
    webSockets: true,
    limits: { maxConnections: settings.MAX_CONNECTIONS },
    log,
  }, app.fetch);
  log.info({ url: server.url }, "listening");
  using _retention = keepJobsFor(settings.JOB_RETAIN_DAYS, administration, log);

  for (const task of TASKS.types) {
    models.prepare(task).then(
      () => dispatcher.wake(),
      (why: unknown) => {
        if (ending.signal.aborted) return;
        if (!(why instanceof Problem)) throw why;
        return attempts.failWaiting(task, { code: why.code, detail: why.message });
      },
    );
  }

  const signal = await askedToEnd(server);
  log.info({ signal }, "stopping");
  ending.abort();
  outage.close();
  feed.close();
  await Promise.all([server.shutdown(), dispatcher.stop(GRACE_MS)]);
  await delivery.close();
  await followedStore.close();
  await outbox.close(GRACE_MS);
  await link.close();
  pool.close();
}

/** @throws {SettingsError} */
function requireNativeRuntime(): void {
  try {
    loadNativeRuntime();
  } catch (error) {
    throw new SettingsError(
      `Cannot start with INFERENCE_BACKEND=native: ${(error as Error).message}`,
    );
  }
}
