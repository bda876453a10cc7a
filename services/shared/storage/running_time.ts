/**
 * The time for which a service has run, this time and before. [note: running time] What is kept for
 * some days or minutes is kept for so much of it: a clock that is wrong, or is set, makes nothing
 * older. It stands in the database, grows by a clock that nobody sets, and is written now and then;
 * a sudden end loses the last minutes of it, so that what is kept is kept a little longer.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { type Kysely, sql } from "kysely";

/** One row, which every database has. */
export const RUNNING_TIME_TABLE = `
  CREATE TABLE IF NOT EXISTS running_time (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Milliseconds for which the service has run.
    ms INTEGER NOT NULL,
    -- Time of day when that was written, ms since the epoch.
    seen_at INTEGER NOT NULL,
    -- Running time when a copy of before an update was first seen; null where there is none.
    copy_since_ms INTEGER
  ) STRICT`;

interface Row {
  ms: number;
  seen_at: number;
}

export interface RunningTimeOptions {
  // deno-lint-ignore no-explicit-any -- any database, whatever else is in it
  db: Kysely<any>;
  log: Logger;
  /** Time of day, ms since the epoch. */
  timeOfDay?: () => number;
  /** Milliseconds that only grow, whatever the time of day does. */
  clock?: () => number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Between two looks at both clocks. */
const LOOK_MS = MINUTE_MS;

/** Between two writes. */
const WRITE_MS = 10 * MINUTE_MS;

/** Clocks that are further apart than this were set, or the machine slept. */
const JUMP_MS = MINUTE_MS;

/** A service that seems to have been away for longer may have a wrong clock. */
const LONG_AWAY_MS = 30 * DAY_MS;

export class RunningTime implements AsyncDisposable {
  readonly #options: Required<RunningTimeOptions>;
  readonly #before: number;
  readonly #startedAt: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #seen: { clock: number; timeOfDay: number };
  #writtenAt: number;

  private constructor(options: Required<RunningTimeOptions>, before: number) {
    const { clock, timeOfDay } = options;
    this.#options = options;
    this.#before = before;
    this.#startedAt = this.#writtenAt = clock();
    this.#seen = { clock: clock(), timeOfDay: timeOfDay() };
  }

  /** Goes on counting where the service ended, and says where the time of day does not fit to that. */
  static async open(options: RunningTimeOptions): Promise<RunningTime> {
    const parts = { timeOfDay: Date.now, clock: () => performance.now(), ...options };
    const { db, log, timeOfDay } = parts;
    const { rows: [row] } = await sql<Row>`SELECT ms, seen_at FROM running_time`.execute(db);
    const time = new RunningTime(parts, row?.ms ?? 0);
    const away = row === undefined ? 0 : timeOfDay() - row.seen_at;
    if (away < -JUMP_MS) {
      log.warn(
        { days: days(-away) },
        "the clock is behind the time when the service ran last: it is wrong now, or was then; " +
          "nothing is removed for that",
      );
    } else if (away > LONG_AWAY_MS) {
      log.warn(
        { days: days(away) },
        "by the clock the service was away for long: what it keeps for some days is kept for so " +
          "much of the time that it runs",
      );
    }
    await time.write();
    time.#timer = setInterval(() => void time.look(), LOOK_MS);
    return time;
  }

  /** Milliseconds for which the service has run. */
  readonly now = (): number => this.#before + Math.floor(this.#options.clock() - this.#startedAt);

  /** Compares both clocks, and writes the time where that was long ago. */
  async look(): Promise<void> {
    const { clock, timeOfDay, log } = this.#options;
    const seen = { clock: clock(), timeOfDay: timeOfDay() };
    const jumpMs = seen.timeOfDay - this.#seen.timeOfDay - (seen.clock - this.#seen.clock);
    this.#seen = seen;
    if (Math.abs(jumpMs) > JUMP_MS) {
      log.warn(
        { seconds: Math.round(jumpMs / 1000) },
        "the clock was set, or the machine slept: nothing is removed for that",
      );
    }
    if (seen.clock - this.#writtenAt < WRITE_MS) return;
    // Where it can't be written, others say so.
    await this.write().catch(() => {});
  }

  async write(): Promise<void> {
    const { db, clock, timeOfDay } = this.#options;
    await sql`
      INSERT INTO running_time (id, ms, seen_at) VALUES (1, ${this.now()}, ${timeOfDay()})
      ON CONFLICT DO UPDATE SET ms = excluded.ms, seen_at = excluded.seen_at`.execute(db);
    this.#writtenAt = clock();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.write().catch(() => {});
  }
}

const days = (timeMs: number) => Math.round(timeMs / DAY_MS * 10) / 10;
