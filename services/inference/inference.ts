/**
 * inference: the order in which it starts, and that in which it ends. What it is made of is in
 * assembly/parts.ts.
 *
 * @module
 */
import { openAccess } from "@fovea/http/access";
import { askedToEnd, listen, type Listening } from "@fovea/http/serve";
import { readTls } from "@fovea/http/tls";
import { Problem } from "@fovea/contract";
import { openLog } from "@fovea/process/log";
import { processMetrics } from "@fovea/process/process_metrics";
import { refuseInsecure, SettingsError } from "@fovea/process/settings";
import { claimFolder } from "@fovea/storage/folder";
import { openDatabase } from "./assembly/database.ts";
import { openParts, type Parts } from "./assembly/parts.ts";
import { keepJobsFor } from "./jobs/retention.ts";
import { mediaStoreAddress } from "./media_store.ts";
import { loadNativeRuntime } from "./native/runtime.ts";
import type { Settings } from "./settings.ts";
import { TASKS } from "./tasks/list.ts";

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
  const tls = await readTls(settings);
  const address = await mediaStoreAddress(settings);
  const log = openLog("inference", settings);
  using folder = await claimFolder(settings.DATA_DIR, "inference");
  await using database = await openDatabase(folder.path, log);
  const ending = new AbortController();
  const options = { settings, access, address, workerScript, ending: ending.signal, log };
  const parts = await openParts({ ...options, ...database });
  using _metrics = processMetrics(parts.metrics);

  await recover(parts);
  const server = listen({
    hostname: settings.INFERENCE_HOST,
    port: settings.INFERENCE_PORT,
    portSetting: "INFERENCE_PORT",
    tls,
    webSockets: true,
    limits: { maxConnections: settings.MAX_CONNECTIONS },
    log,
  }, parts.app.fetch);
  log.info({ url: server.url }, "listening");
  using _retention = keepJobsFor(settings.JOB_RETAIN_DAYS, parts.queue.administration, log);
  prepareModels(parts, ending.signal);

  const signal = await askedToEnd(server);
  log.info({ signal }, "stopping");
  ending.abort();
  await stop(parts, server);
}

/** Goes on with what the last process left. */
async function recover({ followedStore, queue, dispatcher, broker, outbox, delivery }: Parts) {
  await followedStore.check();
  await queue.attempts.recover();
  dispatcher.start();
  // A broker that has just come up remembers nothing.
  if (broker.isEmbedded) outbox.resume(false);
  delivery.wake();
}

/** Has the models of all tasks fetched and loaded, and the jobs ended that wait for one in vain. */
function prepareModels({ models, dispatcher, queue }: Parts, ending: AbortSignal): void {
  for (const task of TASKS.types) {
    models.prepare(task).then(
      () => dispatcher.wake(),
      (why: unknown) => {
        if (ending.aborted) return;
        if (!(why instanceof Problem)) throw why;
        return queue.attempts.failWaiting(task, { code: why.code, detail: why.message });
      },
    );
  }
}

/** What feeds a part ends before it: jobs before their events, and these before the broker. */
async function stop(parts: Parts, server: Listening): Promise<void> {
  const { outage, feed, dispatcher, delivery, followedStore, outbox, broker, pool } = parts;
  outage.close();
  feed.close();
  await Promise.all([server.shutdown(), dispatcher.stop(GRACE_MS)]);
  await delivery.close();
  await followedStore.close();
  await outbox.close(GRACE_MS);
  await broker.link.close();
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
