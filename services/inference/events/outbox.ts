/**
 * Sends the log of messages to the broker, in order, each until it has been acknowledged: over
 * crashes and outages of either side an event arrives at least once.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";
import type { Publish } from "./link.ts";
import { MAX_KEPT, MessageLog } from "./message_log.ts";

export interface OutboxOptions {
  db: Kysely<Tables>;
  publish: Publish;
  /** After so long the broker and the log forget a message, outages not counted. */
  retainMs: number;
  /** See [note: running time]. */
  now: () => number;
  log: Logger;
}

/** What waits for the broker. */
export interface OutboxState {
  pending: number;
  /** Since the oldest of them came to be; null where none waits. */
  oldestAgeMs: number | null;
}

/** How many messages are under way to the broker at once. */
const BATCH = 256;

/** Messages are recent for the first part, of so many, of the time for which they are kept. */
const RECENT = 10;

/** Before the database, which could not be read or written, is tried again. */
const RETRY_MS = 1000;

/** Between two looks at what has had its time, at least. */
const MIN_TRIM_INTERVAL_MS = 1000;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #messages: MessageLog;
  #cursor: number | undefined;
  /** The broker lost what it retained: it is to be sent again. */
  #forgotten = false;
  /** The broker is away: nothing is tried until it is back. */
  #away = false;
  #back = false;
  #sending: Promise<void> | undefined;
  #woken = false;
  #closed = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #trimTimer: ReturnType<typeof setTimeout> | undefined;
  #trimmedAt = -Infinity;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#messages = new MessageLog(options.db);
  }

  /** Says that there may be something to send. */
  wake(): void {
    this.#woken = true;
    if (this.#closed || this.#away || this.#retryTimer !== undefined) return;
    this.#sending ??= this.#sendAll().catch((error) => this.#retryLater(error)).finally(() => {
      this.#sending = undefined;
      if (this.#woken) this.wake();
    });
  }

  /**
   * Says that the broker is there, for the first time or again.
   *
   * @param remembers whether it still knows this service, and so has what it was to retain
   */
  resume(remembers: boolean): void {
    this.#away = false;
    this.#back = true;
    if (!remembers) this.#forgotten = true;
    this.wake();
  }

  async state(): Promise<OutboxState> {
    const cursor = this.#cursor ?? await this.#messages.cursor();
    const [oldest] = await this.#messages.after(cursor, 1);
    if (oldest === undefined) return { pending: 0, oldestAgeMs: null };
    return {
      // Behind the cursor nothing is ever missing.
      pending: await this.#messages.end() - oldest.seq + 1,
      oldestAgeMs: Math.max(0, this.#options.now() - oldest.at),
    };
  }

  /** Resolves when nothing is being sent: all has been, or the broker is away. */
  async whenIdle(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  /** Waits until everything is sent, at most so long; what is left goes out after the next start. */
  async close(graceMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expired = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
    await Promise.race([this.whenIdle(), expired]);
    clearTimeout(timer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#trimTimer);
    this.#closed = true;
  }

  async #sendAll(): Promise<void> {
    this.#cursor ??= await this.#messages.cursor();
    while (this.#woken && !this.#closed && !this.#away) {
      this.#woken = false;
      if (this.#back) {
        const { retainMs, now } = this.#options;
        await this.#messages.keepPending(this.#cursor, now() - retainMs / RECENT, now());
        this.#back = false;
      }
      if (this.#forgotten) {
        await this.#messages.requeueRetained(this.#cursor);
        this.#forgotten = false;
      }
      while (await this.#sendBatch(this.#cursor));
      if (this.#closed) return;
      if (this.#trimTimer === undefined || this.#cursor - this.#trimmedAt > MAX_KEPT / 10) {
        await this.#trim(this.#cursor);
      }
    }
  }

  /** @returns whether there may be more */
  async #sendBatch(cursor: number): Promise<boolean> {
    if (this.#closed || this.#away) return false;
    const batch = await this.#messages.after(cursor, BATCH);
    const last = batch.at(-1);
    if (last === undefined) return false;
    const sent = await Promise.allSettled(batch.map(this.#options.publish));
    if (this.#closed) return false;
    if (sent.some(({ status }) => status === "rejected")) {
      // All of it again, also what did arrive: that keeps the order, and event_id is for that.
      this.#woken = true;
      this.#away = true;
      return false;
    }
    // A crash before this is written sends them again.
    await this.#messages.moveCursor(last.seq);
    this.#cursor = last.seq;
    return true;
  }

  /** Forgets what has had its time, and comes back when more will have had it. */
  async #trim(cursor: number): Promise<void> {
    const { retainMs, now } = this.#options;
    clearTimeout(this.#trimTimer);
    this.#trimTimer = undefined;
    while (await this.#messages.trim(cursor, now() - retainMs, now()) && !this.#closed);
    await this.#messages.trimToSize(cursor);
    this.#trimmedAt = cursor;
    if (await this.#messages.end() > cursor) this.#woken = true;
    const oldest = await this.#messages.keptLongest();
    if (oldest === undefined || this.#closed) return;
    const delayMs = Math.min(retainMs, Math.max(MIN_TRIM_INTERVAL_MS, oldest + retainMs - now()));
    this.#trimTimer = setTimeout(() => {
      this.#trimTimer = undefined;
      this.wake();
    }, Math.min(delayMs, 2 ** 31 - 1));
  }

  #retryLater(error: unknown): void {
    if (this.#closed) return;
    this.#options.log.error({ err: error }, "events can't be sent: trying again in a second");
    this.#woken = true;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.wake();
    }, RETRY_MS);
  }
}
