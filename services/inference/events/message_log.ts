/**
 * The one table in which events stand: an append-only log with a cursor. What lies behind the cursor
 * the broker has acknowledged; it stays for a while, since `GET /events` is read from it and a broker
 * may lose what it had retained.
 *
 * [note: one log] A message is written once, in the transaction of the change that it is about. Sending it moves
 * the cursor, following it reads from a place of one's own: neither changes the message.
 *
 * @module
 */
import { TOPICS } from "@fovea/contract";
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import { prepared } from "../database/prepared.ts";
import type { OutboxTable } from "../database/events.ts";
import type { Tables } from "../database/tables.ts";

export interface Message {
  topic: string;
  /** Empty and retained: the broker is to forget what it has under this topic. */
  payload: string;
  /** Whether the broker keeps it for those who subscribe later. */
  retain: boolean;
}

/** A message with its place in the log. */
export interface LoggedMessage extends Message {
  /** When it was written, in running time. */
  at: number;
  /** Grows by one from message to message, also over restarts. */
  seq: number;
}

/** Events of jobs that are kept for `GET /events` at most, counted in messages of any kind. */
export const MAX_KEPT = 100_000;

/** How many messages are forgotten in one transaction, so that no job waits long for it. */
const TRIM_BATCH = 500;

type Row = Selectable<OutboxTable>;

/** One query for any number of messages, so that it need not be built for each. */
const insert = prepared<{ messages: string }>()((db, { messages }) =>
  db.insertInto("outbox").columns(["topic", "payload", "retain", "at", "kept_from"])
    .expression(sql`
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3
      FROM json_each(${messages})`)
);

const after = (limit: number) =>
  prepared<{ seq: number }>()((db, { seq }) =>
    db.selectFrom("outbox").selectAll().where("seq", ">", seq).orderBy("seq").limit(sql.lit(limit))
  );

/** By limit, of which there are a few; it stands in the text, see [note: literals]. */
const pages = new Map<number, ReturnType<typeof after>>();

const moveCursor = prepared<{ seq: number }>()((db, { seq }) =>
  db.updateTable("instance").set({ sent_through: seq })
);

/**
 * Adds messages to those that are to be sent; call `Outbox.wake` once the transaction stands.
 *
 * @param at running time. See [note: running time]
 */
export async function enqueue(
  transaction: Transaction<Tables>,
  messages: readonly Message[],
  at: number,
): Promise<void> {
  const rows = messages.map(({ topic, payload, retain }) => [
    topic,
    payload,
    Number(retain),
    at,
  ]);
  await insert(transaction, { messages: JSON.stringify(rows) });
}

/**
 * Adds messages to be retained that were sent before, in place of those: they are retained for their
 * full time from now on.
 */
export async function enqueueAgain(
  transaction: Transaction<Tables>,
  messages: readonly Message[],
  at: number,
): Promise<void> {
  if (messages.length === 0) return;
  await transaction.deleteFrom("outbox").where("topic", "in", messages.map(({ topic }) => topic))
    .where("retain", "=", 1)
    // What has not been sent stays: behind the cursor nothing is ever missing.
    .where("seq", "<=", (e) => e.selectFrom("instance").select("sent_through")).execute();
  await enqueue(transaction, messages, at);
}

/** The SQL of the log. */
export class MessageLog {
  readonly #db: Kysely<Tables>;
  /** Events up to here have been forgotten for their number. */
  #forgottenTo = 0;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** The last message that the broker has acknowledged. */
  async cursor(): Promise<number> {
    const { sent_through } = await this.#db.selectFrom("instance").select("sent_through")
      .executeTakeFirstOrThrow();
    return sent_through;
  }

  /** A power cut may set it back a little: then some messages are sent again. */
  async moveCursor(seq: number): Promise<void> {
    await moveCursor(this.#db, { seq });
  }

  /** The newest message there ever was. */
  async end(): Promise<number> {
    const { rows } = await sql<{ seq: number }>`
      SELECT seq FROM sqlite_sequence WHERE name = 'outbox'`.execute(this.#db);
    return rows[0]?.seq ?? 0;
  }

  /** The oldest messages behind a place, in order. */
  async after(seq: number, limit: number): Promise<LoggedMessage[]> {
    const page = pages.getOrInsertComputed(limit, after);
    return (await page(this.#db, { seq })).map(asMessage);
  }

  /** The oldest events of jobs behind a place, in order. */
  async eventsAfter(seq: number, limit: number): Promise<LoggedMessage[]> {
    const rows = await this.#db.selectFrom("outbox").selectAll().where("seq", ">", seq)
      .where("topic", "=", TOPICS.events).orderBy("seq").limit(sql.lit(limit)).execute();
    return rows.map(asMessage);
  }

  /** The newest event of a job, which is never forgotten: 0 where there was none yet. */
  async newestEvent(): Promise<number> {
    const row = await this.#db.selectFrom("outbox").select("seq")
      .where("topic", "=", TOPICS.events).orderBy("seq", "desc").limit(1).executeTakeFirst();
    return row?.seq ?? 0;
  }

  /** Whether an event is still there. */
  async hasEvent(seq: number): Promise<boolean> {
    const row = await this.#db.selectFrom("outbox").select("seq").where("seq", "=", seq)
      .where("topic", "=", TOPICS.events).executeTakeFirst();
    return row !== undefined;
  }

  /** Has messages that could not be sent before kept as if they were from now, but for recent ones. */
  async keepPending(cursor: number, recent: number, now: number): Promise<void> {
    await this.#db.updateTable("outbox").set({ kept_from: now }).where("seq", ">", cursor)
      .where("kept_from", "<", recent).execute();
  }

  /** Puts what a broker should have retained at the end of the log, to be sent once more. */
  async requeueRetained(cursor: number): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await sql`
        INSERT INTO outbox (topic, payload, retain, at, kept_from)
        SELECT topic, payload, retain, at, kept_from FROM outbox AS old
        WHERE seq <= ${cursor} AND retain = 1 AND payload <> '' AND ${isNewest("old")}
        ORDER BY seq`.execute(transaction);
      await transaction.deleteFrom("outbox").where("seq", "<=", cursor).where("retain", "=", 1)
        .execute();
    });
  }

  /**
   * Forgets acknowledged messages kept from before `until` on, but for the newest event, and has the
   * broker forget those it retains.
   *
   * @param now messages from a later time are taken to be from now: the last minutes of running time
   *   were lost
   * @returns whether there may be more of them
   */
  async trim(cursor: number, until: number, now: number): Promise<boolean> {
    const newestEvent = await this.newestEvent();
    return await this.#db.transaction().execute(async (transaction) => {
      await transaction.updateTable("outbox").set({ kept_from: now }).where("kept_from", ">", now)
        .execute();
      const { rows } = await sql<Row & { newest: number }>`
        SELECT *, ${isNewest("old")} AS newest FROM outbox AS old
        WHERE kept_from <= ${until} AND seq <= ${cursor} AND seq <> ${newestEvent}
        ORDER BY kept_from LIMIT ${TRIM_BATCH}`
        .execute(transaction);
      if (rows.length === 0) return false;
      const toClear = rows.filter((row) => row.retain === 1 && row.payload !== "" && row.newest);
      await transaction.deleteFrom("outbox").where("seq", "in", rows.map(({ seq }) => seq))
        .execute();
      if (toClear.length > 0) {
        await enqueue(
          transaction,
          toClear.map(({ topic }) => ({ topic, payload: "", retain: true })),
          now,
        );
      }
      return rows.length === TRIM_BATCH;
    });
  }

  /** Forgets acknowledged events that are more than {@link MAX_KEPT} messages old. */
  async trimToSize(cursor: number): Promise<void> {
    const to = cursor - MAX_KEPT;
    while (this.#forgottenTo < to) {
      const gone = await this.#db.deleteFrom("outbox").where(
        "seq",
        "in",
        (e) =>
          e.selectFrom("outbox").select("seq").where("seq", ">", this.#forgottenTo)
            .where("seq", "<=", to).where("topic", "=", TOPICS.events)
            .orderBy("seq").limit(TRIM_BATCH),
      ).returning("seq").execute();
      this.#forgottenTo = gone.length < TRIM_BATCH ? to : Math.max(...gone.map(({ seq }) => seq));
    }
  }

  /** Since when the message is kept that will be forgotten next. */
  async keptLongest(): Promise<number | undefined> {
    const row = await this.#db.selectFrom("outbox").select("kept_from")
      .where("seq", "<>", await this.newestEvent()).orderBy("kept_from").limit(1)
      .executeTakeFirst();
    return row?.kept_from;
  }
}

/** A job that ended twice, retried in between, has two messages under one topic: the newest counts. */
function isNewest(row: string) {
  return sql`NOT EXISTS (SELECT 1 FROM outbox AS newer WHERE newer.topic = ${sql.ref(row)}.topic
    AND newer.retain = 1 AND newer.seq > ${sql.ref(row)}.seq)`;
}

function asMessage(row: Row): LoggedMessage {
  const { seq, topic, payload, at } = row;
  return { seq, topic, payload, retain: row.retain === 1, at };
}
