/**
 * A job service on a database of its own, for tests: time and ids are what the test says, and the
 * models are ready at once.
 *
 * @module
 */
import { openLog } from "@fovea/common/log";
import { openSqlite } from "@fovea/common/sqlite";
import type { JobStepEvent } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import type { Kysely } from "kysely";
import { JobService, type JobServiceOptions } from "../jobs/service.ts";
import { MIGRATIONS, type Tables } from "../jobs/tables.ts";
import { ServedModels } from "../tasks/served_models.ts";

export interface OpenJobs extends AsyncDisposable {
  db: Kysely<Tables>;
  models: ServedModels;
  jobs: JobService;
  clock: { now: number };
  /** The events written so far and not sent, oldest first. */
  events(): Promise<JobStepEvent[]>;
  /** Opens the same database once more, as after a restart of the service. */
  reopen(): Promise<JobService>;
}

/** A log that says nothing. */
export const silent = openLog("test", { LOG_LEVEL: "error", LOG_FORMAT: "json" });
silent.level = "silent";

/** @param onChange as of the service */
export async function openJobs(
  onChange: JobServiceOptions["onChange"] = () => {},
): Promise<OpenJobs> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const path = `${folder.path}/jobs.sqlite`;
  const clock = { now: 1_700_000_000_000 };
  const models = new ServedModels({
    choices: { face_detection: "ultraface-rfb-320", image_embedding: "fixture" },
    fetchModel: () => Promise.resolve("never opened"),
    load: () => Promise.resolve(),
    backend: "wasm",
    log: silent,
  });
  await models.prepare("face_detection");
  await models.prepare("image_embedding");

  let db = await openSqlite<Tables>(path, MIGRATIONS);
  cleanup.defer(() => db.destroy());
  const service = () =>
    new JobService({
      db,
      models,
      now: () => clock.now,
      newId: () => crypto.randomUUID(),
      onChange,
    });
  const owned = cleanup.move();
  return {
    get db() {
      return db;
    },
    models,
    jobs: service(),
    clock,
    events: async () => {
      const rows = await db.selectFrom("outbox").select("payload")
        .where("topic", "=", "inference/events").orderBy("seq").execute();
      return rows.map(({ payload }) => JSON.parse(payload));
    },
    reopen: async () => {
      await db.destroy();
      db = await openSqlite<Tables>(path, MIGRATIONS);
      return service();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
