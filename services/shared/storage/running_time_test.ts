import { openLog } from "@fovea/process/log";
import { temporaryFolder } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { RunningTime } from "./running_time.ts";
import { copyOf, openSqlite } from "./sqlite.ts";
import { KEEP_COPY_DAYS, UpdateCopy } from "./update_copy.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A database with clocks that the test sets, and what is logged. */
async function open() {
  await using cleanup = new AsyncDisposableStack();
  const { path: folder } = cleanup.use(await temporaryFolder());
  const path = `${folder}/db.sqlite`;
  const db = cleanup.use(await openSqlite(path, {}));
  const log = openLog("test", { LOG_LEVEL: "error", LOG_FORMAT: "json" });
  const said: string[] = [];
  Object.assign(log, {
    warn: (_fact: unknown, message: string) => said.push(message),
    info: (_fact: unknown, message: string) => said.push(message),
  });
  const clocks = { timeOfDay: Date.UTC(2026, 0, 1), clock: 0 };
  const start = () =>
    RunningTime.open({ db, log, timeOfDay: () => clocks.timeOfDay, clock: () => clocks.clock });
  const owned = cleanup.move();
  return {
    path,
    db,
    log,
    said,
    clocks,
    start,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("running time grows while the service runs, and goes on after a restart", async () => {
  await using opened = await open();
  const { clocks, start } = opened;
  {
    await using first = await start();
    assert.equal(first.now(), 0);
    clocks.clock += 90 * MINUTE_MS;
    clocks.timeOfDay += 90 * MINUTE_MS;
    assert.equal(first.now(), 90 * MINUTE_MS);
  }
  // As long as it does not run, nothing becomes older.
  clocks.timeOfDay += 3 * DAY_MS;
  clocks.clock = 5;
  await using second = await start();
  assert.equal(second.now(), 90 * MINUTE_MS);
  assert.deepEqual(opened.said, []);
});

Deno.test("a sudden end loses no more than the last minutes of it", async () => {
  await using opened = await open();
  const { clocks, start, db } = opened;
  await using running = await start();
  for (let i = 0; i < 25; i++) {
    clocks.clock += MINUTE_MS;
    clocks.timeOfDay += MINUTE_MS;
    await running.look();
  }
  const { rows } = await sql<{ ms: number }>`SELECT ms FROM running_time`.execute(db);
  assert.equal(rows[0]?.ms, 20 * MINUTE_MS);
});

Deno.test("a clock that jumps makes nothing older, and is said once", async () => {
  await using opened = await open();
  const { clocks, said, start } = opened;
  await using running = await start();
  for (const jump of [14 * 365 * DAY_MS, -55 * 365 * DAY_MS]) {
    said.length = 0;
    clocks.timeOfDay += jump;
    clocks.clock += MINUTE_MS;
    const before = running.now();
    for (let i = 0; i < 3; i++) await running.look();
    assert.equal(running.now(), before);
    assert.deepEqual(said, [
      "the clock was set, or the machine slept: nothing is removed for that",
    ]);
  }
});

Deno.test("a clock that was wrong before the start is said at the start", async () => {
  for (
    const [jump, pattern] of [
      [-55 * 365 * DAY_MS, /the clock is behind the time when the service ran last/],
      [14 * 365 * DAY_MS, /by the clock the service was away for long/],
    ] as const
  ) {
    await using opened = await open();
    const { clocks, said, start } = opened;
    {
      await using _first = await start();
    }
    clocks.timeOfDay += jump;
    await using running = await start();
    assert.match(said.join(), pattern);
    assert.equal(running.now(), 0);
  }
});

Deno.test("the copy of before an update goes when the service has run for days, or at a deletion", async () => {
  for (const how of ["days", "deletion"] as const) {
    await using opened = await open();
    const { path, db, log, said } = opened;
    const time = { nowMs: 5 * DAY_MS };
    const runningTime = { now: () => time.nowMs };
    await using _time = await opened.start();
    const isThere = () => Deno.stat(copyOf(path)).then(() => true, () => false);
    const start = () => UpdateCopy.open({ path, db, runningTime, log });
    {
      using copy = await start();
      await copy.onDeletion();
      await copy.look();
    }
    assert.deepEqual(said, []);

    await Deno.writeTextFile(copyOf(path), "as it was");
    using copy = await start();
    time.nowMs += (KEEP_COPY_DAYS - 1) * DAY_MS;
    {
      using _again = await start();
    }
    assert.ok(await isThere());
    if (how === "deletion") await copy.onDeletion();
    else {
      time.nowMs += DAY_MS;
      await copy.look();
    }
    assert.ok(!await isThere());
    assert.match(said.join(), /removed the copy of before the update/);
  }
});
