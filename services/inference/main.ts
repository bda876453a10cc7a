/**
 * inference: takes jobs over HTTP, has workers do them, and says over MQTT when each is done.
 *
 * @module
 */
import { openAccess } from "@fovea/common/access";
import { claimFolder } from "@fovea/common/folder";
import { openLog } from "@fovea/common/log";
import { processMetrics } from "@fovea/common/process_metrics";
import { askedToEnd, listen, runService } from "@fovea/common/serve";
import { refuseInsecure } from "@fovea/common/settings";
import { openSqlite } from "@fovea/common/sqlite";
import { type Info, type Problem, TASK_TYPES } from "@fovea/contract";
import { fetchModel } from "@fovea/models";
import { Registry } from "prom-client";
import { createApp } from "./app.ts";
import manifest from "./deno.json" with { type: "json" };
import { BrokerLink, withoutPassword } from "./events/broker_link.ts";
import { startBroker } from "./events/embedded_broker.ts";
import { Outbox } from "./events/outbox.ts";
import { Dispatcher } from "./jobs/dispatcher.ts";
import { JobService } from "./jobs/service.ts";
import { MIGRATIONS, type Tables } from "./jobs/tables.ts";
import { unsentEvents, waitingJobs } from "./metrics/backlog.ts";
import { backlogMetrics } from "./metrics/backlog_metrics.ts";
import { jobMetrics } from "./metrics/job_metrics.ts";
import { workerMetrics } from "./metrics/worker_metrics.ts";
import { ServedModels } from "./tasks/served_models.ts";
import { readinessChecks } from "./readiness.ts";
import { inferenceSettings } from "./settings.ts";
import { BACKEND_NAMES } from "./tasks/backend.ts";
import { WorkerPool } from "./workers/pool.ts";

/** Milliseconds a job may take in a worker: far more than the largest picture allowed needs. */
const JOB_DEADLINE = 60_000;

/** Milliseconds that running jobs, and then waiting events, have to end when the service does. */
const GRACE = 5000;

await runService(async () => {
  const settings = inferenceSettings(Deno.env);
  refuseInsecure(settings, { INFERENCE_HOST: settings.INFERENCE_HOST });
  const access = await openAccess(settings);
  const log = openLog("inference", settings);

  using folder = await claimFolder(settings.DATA_DIR, "inference");
  await using db = await openSqlite<Tables>(`${folder.path}/inference.sqlite`, MIGRATIONS);
  const { client_id: clientId } = await db.selectFrom("instance").selectAll()
    .executeTakeFirstOrThrow();

  const broker = settings.MQTT_URL === undefined ? await startBroker(settings.MQTT_PORT) : null;
  const link = new BrokerLink({
    url: broker?.ownUrl ?? settings.MQTT_URL!,
    clientId,
    onForgotten: () => outbox.restoreRetained(),
    log,
  });
  const outbox = new Outbox({
    db,
    publish: link.publish,
    retainFor: settings.EVENT_RETAIN_MINUTES * 60_000,
    now: Date.now,
    log,
  });

  const metrics = new Registry();
  using _ = processMetrics(metrics);
  const countSteps = jobMetrics(metrics);

  const pool = new WorkerPool({
    size: settings.INFERENCE_WORKERS,
    settings: {
      source: {
        url: settings.MEDIA_STORE_URL,
        token: settings.FOVEA_TOKEN,
        maxBytes: settings.MAX_UPLOAD_BYTES,
      },
      maxPixels: settings.MAX_IMAGE_PIXELS,
      backend: settings.INFERENCE_BACKEND,
      shrinkWhileDecoding: settings.SHRINK_WHILE_DECODING,
    },
    deadline: JOB_DEADLINE,
    idle: settings.WORKER_IDLE_SECONDS * 1000,
    log,
    onFree: () => dispatcher.wake(),
    onEnd: workerMetrics(metrics),
  });
  const models = new ServedModels({
    choices: { face_detection: settings.FACE_MODEL, image_embedding: settings.EMBEDDING_MODEL },
    fetchModel: (entry) =>
      fetchModel(entry, {
        modelsDir: settings.MODELS_DIR,
        mirror: settings.MODEL_MIRROR,
        onNotice: (sentence) => log.info(sentence),
      }),
    load: (task, model) => pool.load(task, model),
    backend: settings.INFERENCE_BACKEND,
    log,
  });
  const jobs = new JobService({
    db,
    models,
    now: Date.now,
    newId: () => crypto.randomUUID(),
    onChange: (steps) => {
      countSteps(steps);
      dispatcher.wake();
      outbox.wake();
    },
  });
  const dispatcher = new Dispatcher({ jobs, pool, models, now: Date.now, log });

  const info = (): Info => ({
    name: "fovea-inference",
    version: manifest.version,
    mqtt_url: broker?.url ?? withoutPassword(settings.MQTT_URL!),
    tasks: models.describe(),
    workers: pool.size,
    backend: BACKEND_NAMES[settings.INFERENCE_BACKEND],
  });
  const checks = readinessChecks({
    db,
    tasks: () => models.describe(),
    mediaStoreUrl: settings.MEDIA_STORE_URL,
    brokerConnected: () => link.connected,
  });
  backlogMetrics(metrics, {
    queue: () => waitingJobs(db, Date.now()),
    outbox: () => unsentEvents(db, Date.now()),
    brokerConnected: () => link.connected,
    workers: () => pool.alive,
    tasks: () => models.describe(),
  });
  const app = createApp({ jobs, access, info, checks, accept: broker?.accept, log, metrics });

  await jobs.recover();
  outbox.wake();
  const server = listen({
    hostname: settings.INFERENCE_HOST,
    port: settings.INFERENCE_PORT,
    portSetting: "INFERENCE_PORT",
  }, app.fetch);
  log.info({ url: server.url }, "listening");

  for (const task of TASK_TYPES) {
    models.prepare(task).then(
      () => dispatcher.wake(),
      (why: Problem) => jobs.failWaiting(task, { code: why.code, detail: why.message }),
    );
  }

  const signal = await askedToEnd();
  log.info({ signal }, "stopping");
  await Promise.all([server.shutdown(), dispatcher.stop(GRACE)]);
  await outbox.close(GRACE);
  await link.close();
  await broker?.close();
  pool.close();
});
