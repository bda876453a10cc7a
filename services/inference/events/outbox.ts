/**
 * Messages on their way to the broker. They are written in the transaction of what they tell, and
 * leave the database only when the broker has acknowledged them: an event is sent at least once,
 * in order, over crashes and outages of either side.
 *
 * @module
 */
import type { Logger } from "@fovea/common/log";
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "../jobs/tables.ts";

export interface Message {
  topic: string;
  payload: string;
  /** Whether the broker keeps it for who subscribes later. */
  retain: boolean;
}

/** Sends one message, QoS 1; resolves when it has been acknowledged, however long that takes. */
export type Publish = (message: Message) => Promise<void>;

/** Adds messages to those that are to be sent; call {@link Outbox.wake} once the transaction stands. */
export async function enqueue(
  transaction: Transaction<Tables>,
  messages: readonly Message[],
): Promise<void> {
  await transaction.insertInto("outbox")
    .values(
      messages.map(({ topic, payload, retain }) => ({ topic, payload, retain: Number(retain) })),
    )
    .execute();
}

/** How many messages are under way to the broker at once. */
const BATCH = 64;

export interface OutboxOptions {
  db: Kysely<Tables>;
  publish: Publish;
  /** Milliseconds after which a retained message is cleared. */
  retainFor: number;
  now: () => number;
  log: Logger;
}

export class Outbox {
  readonly #options: OutboxOptions;
  #clearing: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #woken = false;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Says that there may be something to send. */
  wake(): void {
    this.#woken = true;
    if (this.#closed) return;
    this.#sending ??= this.#sendAll().catch((error) => {
      if (!this.#closed) this.#options.log.error({ err: error }, "events can't be sent");
    }).finally(() => {
      this.#sending = undefined;
      if (this.#woken) this.wake();
    });
  }

  /** Sends what was retained once more: the broker has forgotten it. */
  async restoreRetained(): Promise<void> {
    await this.#options.db.transaction().execute(async (transaction) => {
      await transaction.insertInto("outbox").columns(["topic", "payload", "retain"])
        .expression((e) =>
          e.selectFrom("retained").select((r) => ["topic", "payload", r.lit(1).as("retain")])
        ).execute();
    });
    this.wake();
  }

  /** Waits until everything is sent, at most so many milliseconds; what is left goes out after the next start. */
  async close(patience: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const impatience = new Promise<void>((resolve) => timer = setTimeout(resolve, patience));
    await Promise.race([this.#sending, impatience]);
    clearTimeout(timer);
    clearTimeout(this.#clearing);
    this.#closed = true;
  }

  async #sendAll(): Promise<void> {
    while (this.#woken && !this.#closed) {
      this.#woken = false;
      while (await this.#sendBatch());
      await this.#clearRetained();
    }
  }

  /** @returns whether there may be more */
  async #sendBatch(): Promise<boolean> {
    const { db, publish, retainFor, now } = this.#options;
    const batch = await db.selectFrom("outbox").selectAll().orderBy("seq").limit(BATCH).execute();
    if (batch.length === 0 || this.#closed) return false;
    await Promise.all(
      batch.map(({ topic, payload, retain }) => publish({ topic, payload, retain: retain === 1 })),
    );
    // A crash before this commits sends them again: that is what event_id is for.
    await db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("outbox").where("seq", "in", batch.map(({ seq }) => seq))
        .execute();
      for (const { topic, payload, retain } of batch) {
        if (retain === 0 || payload === "") continue;
        const kept = { payload, clear_at: now() + retainFor };
        await transaction.insertInto("retained").values({ topic, ...kept })
          .onConflict((conflict) => conflict.column("topic").doNothing()).execute();
      }
    });
    return true;
  }

  /** Turns what has been retained long enough into empty messages, which is how a broker is told to forget. */
  async #clearRetained(): Promise<void> {
    const { db, now } = this.#options;
    const time = now();
    await db.transaction().execute(async (transaction) => {
      const due = await transaction.deleteFrom("retained").where("clear_at", "<=", time)
        .returning("topic").execute();
      if (due.length === 0) return;
      await enqueue(transaction, due.map(({ topic }) => ({ topic, payload: "", retain: true })));
      this.#woken = true;
    });
    const next = await db.selectFrom("retained").select((e) => e.fn.min("clear_at").as("clear_at"))
      .executeTakeFirst();
    clearTimeout(this.#clearing);
    if (next?.clear_at == null || this.#closed) return;
    this.#clearing = setTimeout(() => this.wake(), Math.min(next.clear_at - time, 2 ** 31 - 1));
  }
}
