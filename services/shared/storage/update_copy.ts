/**
 * The copy of a database that is made before its tables are changed (`….before-update`). With it the
 * older version can be started again; but it also holds what is deleted later. Therefore it goes
 * when something is deleted, or when the service has run for a while without being set back.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { type Kysely, sql } from "kysely";
import type { RunningTime } from "./running_time.ts";
import { copyOf } from "./sqlite.ts";

/** For how much running time a copy is kept. */
export const KEEP_COPY_DAYS = 7;

const DAY_MS = 24 * 60 * 60_000;

/** Between two looks. */
const LOOK_MS = 60 * 60_000;

export interface UpdateCopyOptions {
  /** Of the database. */
  path: string;
  // deno-lint-ignore no-explicit-any -- any database, whatever else is in it
  db: Kysely<any>;
  runningTime: Pick<RunningTime, "now">;
  log: Logger;
}

export class UpdateCopy implements Disposable {
  readonly #options: UpdateCopyOptions;
  readonly #copy: string;
  #isThere: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: UpdateCopyOptions, isThere: boolean) {
    this.#options = options;
    this.#copy = copyOf(options.path);
    this.#isThere = isThere;
  }

  static async open(options: UpdateCopyOptions): Promise<UpdateCopy> {
    const isThere = await Deno.stat(copyOf(options.path)).then(() => true, () => false);
    const copy = new UpdateCopy(options, isThere);
    if (isThere) {
      await copy.look();
      // Where the database can't be read, others say so.
      copy.#timer = setInterval(() => void copy.look().catch(() => {}), LOOK_MS);
    } else await sql`UPDATE running_time SET copy_since_ms = NULL`.execute(options.db);
    return copy;
  }

  /** Removes the copy where it has had its time. */
  async look(): Promise<void> {
    const { db, runningTime } = this.#options;
    await sql`
      UPDATE running_time SET copy_since_ms = coalesce(copy_since_ms, ${runningTime.now()})`
      .execute(db);
    const { rows: [row] } = await sql<{ since: number }>`
      SELECT copy_since_ms AS since FROM running_time`.execute(db);
    if (row === undefined || runningTime.now() - row.since < KEEP_COPY_DAYS * DAY_MS) return;
    await this.#remove(`the service has run for ${KEEP_COPY_DAYS} days since`);
  }

  /** Something was deleted: it must not go on in the copy. */
  readonly onDeletion = async (): Promise<void> => {
    if (this.#isThere) await this.#remove("something that it may hold was deleted");
  };

  async #remove(why: string): Promise<void> {
    const { log } = this.#options;
    try {
      await Deno.remove(this.#copy);
      log.info({ copy: this.#copy, why }, "removed the copy of before the update");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        return log.error({ err: error, copy: this.#copy, why }, "copy can't be removed: remove it");
      }
    }
    this.#isThere = false;
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
