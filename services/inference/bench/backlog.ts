/**
 * What a long queue costs: how long it takes to find the next job and to start the service, and how
 * much more memory the service takes.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import { processUsage } from "@fovea/bench/process_usage";
import { openSqlite } from "@fovea/storage/sqlite";
import { startService, temporaryFolder } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import { sql } from "kysely";
import { TASKS } from "../tasks/list.ts";
import { QueueRepository } from "../jobs/queue.ts";
import { MIGRATIONS, type Tables } from "../database/tables.ts";

const CLAIMS = 1000;

export interface Backlog {
  /** Median milliseconds to begin the next job. */
  claimMs: number;
  /** Milliseconds from the start of the process until it listens. */
  startUpMs: number;
  /** Bytes of memory that the service takes more than with no job at all. */
  memory: number;
}

/** @param jobs how many wait, of both tasks and all priorities */
export async function measureBacklog(jobs: number): Promise<Backlog> {
  await using empty = await temporaryFolder();
  await using full = await temporaryFolder();
  await fill(full.path, jobs);
  // The first start takes longer, since the system has not read the files yet.
  await start(empty.path);
  const without = await start(empty.path);
  const withJobs = await start(full.path);
  return {
    claimMs: await measureClaimMs(full.path),
    startUpMs: withJobs.startUpMs,
    memory: withJobs.memory - without.memory,
  };
}

/** A model that never comes keeps all jobs waiting. */
async function start(dataDir: string): Promise<{ startUpMs: number; memory: number }> {
  const silence = Promise.withResolvers<void>();
  await using models = await temporaryFolder();
  const mirror = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => silence.promise.then(() => new Response("not here", { status: 404 })),
  );
  try {
    const from = performance.now();
    await using service = await startService("empty_inference", {
      ...BARE,
      EMBEDDING_MODEL: "clip-vit-b-32",
      FACE_MODEL: "yunet-2023mar",
      MODELS_DIR: models.path,
      MODEL_MIRROR: `http://127.0.0.1:${mirror.addr.port}`,
      DATA_DIR: dataDir,
    });
    const startUpMs = performance.now() - from;
    await (await fetch(`${service.url}/admin/stats`)).body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { memory } = await processUsage(service.url);
    await service.kill("SIGKILL");
    return { startUpMs, memory };
  } finally {
    silence.resolve();
    await mirror.shutdown();
  }
}

const databaseIn = async (dataDir: string) => {
  await Deno.mkdir(`${dataDir}/inference`, { recursive: true });
  return await openSqlite<Tables>(`${dataDir}/inference/inference.sqlite`, MIGRATIONS, "crash");
};

async function fill(dataDir: string, jobs: number): Promise<void> {
  await using db = await databaseIn(dataDir);
  await sql`
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${jobs})
    INSERT INTO job (job_id, task_type, media_store_id, priority, force, options, status,
      created_at, queued_at)
    SELECT lower(hex(randomblob(16))), iif(n % 2, 'face_detection', 'image_embedding'), n, n % 11,
      0, '{}', 'pending', ${Date.now()}, ${Date.now()} FROM number`.execute(db);
}

async function measureClaimMs(dataDir: string): Promise<number> {
  await using db = await databaseIn(dataDir);
  const times: number[] = [];
  for (let i = 0; i < CLAIMS; i++) {
    const from = performance.now();
    await db.transaction().execute((transaction) =>
      new QueueRepository(transaction).claim(
        TASKS.types,
        i % 2 ? "priority" : "longest_wait",
        Date.now(),
        0,
      )
    );
    times.push(performance.now() - from);
  }
  return median(times);
}
