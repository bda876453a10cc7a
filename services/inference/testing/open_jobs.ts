/**
 * A job service on a database of its own, for tests: time and ids are what the test says, and the
 * models are ready at once.
 *
 * @module
 */
import { openLog } from "@fovea/process/log";
import { openSqlite } from "@fovea/storage/sqlite";
import { type JobEvent, Problem, type ProblemCode, type TaskType } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import type { Kysely } from "kysely";
import type { Administration } from "../jobs/administration.ts";
import { openQueue, type QueueOptions } from "../assembly/queue.ts";
import type { Attempts } from "../jobs/attempts.ts";
import type { JobService } from "../jobs/service.ts";
import type { JobRow } from "../database/jobs.ts";
import { MIGRATIONS, type Tables } from "../database/tables.ts";
import { TASKS } from "../tasks/list.ts";
import { ServedModels } from "../tasks/served_models.ts";
import type { Outcome } from "../workers/messages.ts";

export interface OpenJobs extends AsyncDisposable {
  readonly db: Kysely<Tables>;
  /** Of the database. */
  readonly path: string;
  models: ServedModels;
  /** Digests of entities' bytes, as media_store gives them; null: it is away. Default: {@link BYTES}. */
  digests: Map<number, string | null>;
  readonly jobs: JobService;
  readonly attempts: Attempts;
  readonly administration: Administration;
  /** Ms since the epoch; pauses have no chance in them. */
  clock: { now: number };
  /** `seq` of the jobs that were cancelled while they were worked on. */
  cancelled: number[];
  /** Begins the job whose turn it is; there must be one. */
  begin(): Promise<JobRow>;
  recordOutcome(job: JobRow, outcome: Outcome): Promise<JobRow | undefined>;
  /** Lets time pass until the next pause is over. */
  untilDue(): Promise<void>;
  /** The events written so far and not sent, oldest first. */
  events(): Promise<JobEvent[]>;
  /** Opens the same database once more, as after a restart of the service. */
  reopen(): Promise<void>;
}

const timingsMs = { fetch: 1, decode: 2, infer: 3 };

/** What `done` looked at. */
export const BYTES = "a".repeat(64);

/** A job done, on a picture without faces. */
export const done: Outcome & { ok: true } = {
  ok: true,
  sha256: BYTES,
  result: { faces: [], face_count: 0, image_width: 8, image_height: 8 },
  timingsMs,
};

export const failed = (code: ProblemCode): Outcome => ({
  ok: false,
  sha256: null,
  code,
  detail: "so",
  timingsMs,
});

/** The problem for which something was refused. */
export async function refusal(work: Promise<unknown>): Promise<Problem> {
  const problem = await work.then(() => undefined, (error) => error);
  if (!(problem instanceof Problem)) throw new Error(`expected a refusal, got ${problem}`);
  return problem;
}

/** A log that says nothing. */
export const silent = openLog("test", { LOG_LEVEL: "error", LOG_FORMAT: "json" });
silent.level = "silent";

/**
 * @param limit how many jobs may wait
 * @param onCommit as of the queue
 * @param ready tasks whose models are ready from the start
 */
export async function openJobs(
  limit = 1000,
  onCommit: QueueOptions["onCommit"] = () => {},
  ready: readonly TaskType[] = TASKS.types,
): Promise<OpenJobs> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const path = `${folder.path}/jobs.sqlite`;
  const clock = { now: 1_700_000_000_000 };
  const models = new ServedModels({
    choices: { face_detection: "ultraface-rfb-320", image_embedding: "fixture" },
    fetchFirst: ([entry]) => Promise.resolve({ entry: entry!, path: "never opened" }),
    load: () => Promise.resolve({ backend: "nothing", precision: "fp32" }),
    log: silent,
  });
  for (const task of ready) await models.prepare(task);

  let db = await openSqlite<Tables>(path, MIGRATIONS, "crash");
  cleanup.defer(() => db.destroy());
  const assemble = () =>
    openQueue({
      db,
      models,
      limit,
      digestOf: (entityId) => {
        const digest = digests.get(entityId);
        return Promise.resolve(digest === undefined ? BYTES : digest);
      },
      onCommit,
      onCompleted: () => {},
      onCancelled: (seq) => void cancelled.push(seq),
      now: () => clock.now,
      clock: () => clock.now,
      runningMs: () => clock.now,
      random: () => 1,
    });
  const cancelled: number[] = [];
  const digests = new Map<number, string | null>();
  let queue = assemble();
  const owned = cleanup.move();
  return {
    get db() {
      return db;
    },
    path,
    get jobs() {
      return queue.jobs;
    },
    get attempts() {
      return queue.attempts;
    },
    get administration() {
      return queue.administration;
    },
    models,
    clock,
    cancelled,
    digests,
    begin: async () => {
      const { result: [job], committed } = await queue.attempts.begin(1, true);
      await committed;
      if (job === undefined) throw new Error("there is no job to begin");
      return job;
    },
    recordOutcome: (job, outcome) =>
      queue.attempts.recordOutcome(job, outcome, models.used(job.task_type)),
    untilDue: async () => {
      clock.now = await queue.attempts.admitDue() ?? clock.now;
      await queue.attempts.admitDue();
    },
    events: async () => {
      const rows = await db.selectFrom("outbox").select("payload")
        .where("topic", "=", "inference/events").orderBy("seq").execute();
      return rows.map(({ payload }) => JSON.parse(payload));
    },
    reopen: async () => {
      await db.destroy();
      db = await openSqlite<Tables>(path, MIGRATIONS, "crash");
      queue = assemble();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
