/**
 * Whether media_store is still the one whose pictures the results here are of. After a restore of one
 * folder without the other, the ids that results are kept by may mean other pictures. So what
 * media_store says of itself (its note: diverged) is remembered while jobs are done, and compared at
 * the start, after jobs, and whenever somebody asks for readiness.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import type { ProblemDocument, StorePosition } from "@fovea/contract";
import type { Kysely } from "kysely";
import type { Tables } from "./database/tables.ts";
import { callMediaStore, type MediaStore } from "./media_store.ts";

/** How long media_store may take to answer. */
const ANSWER_MS = 2000;

/** Jobs that end within so long are remembered together. */
const GATHER_MS = 1000;

/** Until media_store has answered once since the start, it is asked so often. */
const RETRY_MS = 5000;

const REMEDY = "results may be of other pictures than entities have now: restore media_store and " +
  "inference from the same backup, or end inference and remove DATA_DIR/inference, to begin anew";

export class FollowedStore {
  readonly #db: Kysely<Tables>;
  readonly #mediaStore: MediaStore;
  readonly #log: Logger;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #checking: Promise<string | null> = Promise.resolve(null);
  #trouble: string | null = null;
  #hasAnswered = false;

  constructor(parts: { db: Kysely<Tables>; mediaStore: MediaStore; log: Logger }) {
    this.#db = parts.db;
    this.#mediaStore = parts.mediaStore;
    this.#log = parts.log;
  }

  /**
   * Asks media_store which one it is, remembers how far it has come, and logs a change of what was
   * found. While it does not answer, what was found last holds.
   *
   * @returns what does not fit; null where everything does
   */
  check(): Promise<string | null> {
    return this.#checking = this.#checking.catch(() => {}).then(() => this.#check());
  }

  /** Checks soon: a job has ended. */
  wake(delayMs = GATHER_MS): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.check().catch((error) =>
        this.#log.error({ err: error }, "media_store was not compared")
      );
    }, delayMs);
  }

  async #check(): Promise<string | null> {
    const seen = await this.#db.selectFrom("followed_store").selectAll().executeTakeFirst();
    const answer = await this.#ask(seen);
    if (answer === null) {
      if (!this.#hasAnswered) this.wake(RETRY_MS);
      return this.#trouble;
    }
    this.#hasAnswered = true;
    const trouble = seen === undefined ? null : mismatch(seen, answer);
    if (trouble === null) await this.#remember(answer as StorePosition);
    if (trouble !== this.#trouble) {
      if (trouble !== null) this.#log.error({ detail: trouble }, "media_store does not fit");
      else this.#log.info("media_store fits again");
      this.#trouble = trouble;
    }
    return trouble;
  }

  /** @returns null where media_store gives no answer, or none that says anything */
  async #ask(seen: StorePosition | undefined): Promise<StorePosition | ProblemDocument | null> {
    const query = seen === undefined ? "" : `?after=${seen.transaction_id}&tag=${seen.tag}`;
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await callMediaStore(this.#mediaStore, `/store${query}`, { signal });
      const body = await response.json();
      const says = response.ok ? isPosition(body) : body?.code === "diverged";
      return says ? body : null;
    } catch (error) {
      this.#log.debug({ err: error }, "media_store did not say which one it is");
      return null;
    }
  }

  async #remember({ store_id, transaction_id, tag }: StorePosition): Promise<void> {
    const position = { store_id, transaction_id, tag };
    await this.#db.insertInto("followed_store").values({ id: 1, ...position })
      .onConflict((conflict) => conflict.column("id").doUpdateSet(position)).execute();
  }

  /** Remembers what the last jobs were done with, where media_store is there to tell. */
  async close(): Promise<void> {
    const isDue = this.#timer !== undefined;
    clearTimeout(this.#timer);
    if (isDue) await this.check();
    else await this.#checking.catch(() => {});
  }
}

/** What answers may be anything, where MEDIA_STORE_URL is wrong. */
function isPosition(body: Partial<StorePosition> | null): body is StorePosition {
  const { store_id, transaction_id, tag } = body ?? {};
  return typeof store_id === "string" && Number.isInteger(transaction_id) &&
    typeof tag === "string";
}

function mismatch(seen: StorePosition, answer: StorePosition | ProblemDocument): string | null {
  if (answer.store_id !== seen.store_id) {
    return `media_store is another one (${answer.store_id}) than results are of (${seen.store_id}): ` +
      REMEDY;
  }
  if (!("code" in answer)) return null;
  return `media_store was restored from a backup that is older than the results: ${REMEDY}`;
}
