/**
 * Events of jobs for those who follow them over HTTP. The log of messages is read once for all: its
 * newest events are kept in memory, and a follower that is further behind reads the log from a
 * place of its own. A slow follower costs nothing, and one that comes back goes on where it was. See [note: one log].
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";
import { type LoggedMessage, MessageLog } from "./message_log.ts";

/** What a follower gets next. */
export type FeedItem =
  | { kind: "events"; events: LoggedMessage[] }
  /** Events behind its last one have been forgotten: what follows is not all there was. */
  | { kind: "gap" }
  /** Nothing has happened for a while. */
  | { kind: "quiet" };

export interface EventFeedOptions {
  db: Kysely<Tables>;
  /** After so long without an event a follower gets a sign that there was none. */
  quietMs?: number;
}

/** How many events are read from the log at once. */
const PAGE = 100;

/** How many of the newest events are kept in memory while somebody follows. */
const RECENT = 1000;

/** How many followers are notified in one turn of the event loop, so that requests come in between. */
const FOLLOWERS_A_TURN = 8;

/**
 * The pause between two notifications, for each follower. To notify one takes a twentieth of a
 * millisecond; so it takes a tenth of the time at most, however many follow, and what comes meanwhile
 * is notified of together.
 */
const PAUSE_MS_A_FOLLOWER = 0.5;

/** Often enough that nothing on the way takes the connection for dead. */
const QUIET_MS = 15_000;

export class EventFeed {
  readonly #messages: MessageLog;
  readonly #quietMs: number;
  readonly #waiting = new Set<() => void>();
  #followers = 0;
  /** The newest events without a hole: all after `#recentAfter`, in order. */
  #recent: LoggedMessage[] = [];
  #recentAfter = 0;
  #isCurrent = false;
  #reading: Promise<void> | undefined;
  #woken = false;
  #closed = false;

  constructor({ db, quietMs = QUIET_MS }: EventFeedOptions) {
    this.#messages = new MessageLog(db);
    this.#quietMs = quietMs;
  }

  /** Says that there may be more events. */
  wake(): void {
    if (this.#followers === 0) return;
    this.#woken = true;
    this.#reading ??= this.#readNew().catch(() => {
      // The database can't be read just now: each follower reads it by itself at the next wake.
      this.#isCurrent = false;
    }).finally(() => {
      this.#reading = undefined;
      if (this.#woken) this.wake();
    });
  }

  /** Sends all followers away; they come back to the next process. */
  close(): void {
    this.#closed = true;
    for (const look of this.#waiting) look();
  }

  /** The place from which only what is yet to come is followed. */
  async end(): Promise<number> {
    return await this.#messages.newestEvent();
  }

  /**
   * @param place the last event that the follower has had; from one that is not known (any more) it gets
   *   a gap, and goes on with the oldest event there is
   */
  async *follow(place: number, signal: AbortSignal): AsyncGenerator<FeedItem> {
    if (this.#followers++ === 0) {
      // What came while nobody followed is not in memory.
      this.#isCurrent = false;
      this.wake();
    }
    const wake = () => this.#notify();
    signal.addEventListener("abort", wake);
    try {
      while (!this.#closed && !signal.aborted) {
        // Before looking: what comes meanwhile is not missed.
        const change = this.#change();
        const item = this.#recentBehind(place) ?? await this.#readBehind(place);
        if (item.kind !== "quiet") change.forget();
        else if (await change.promise) continue;
        if (item.kind === "events") place = item.events.at(-1)!.seq;
        if (item.kind === "gap") place = 0;
        yield item;
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#followers--;
    }
  }

  /** Reads what has come to the log and notifies all that wait. */
  async #readNew(): Promise<void> {
    this.#woken = false;
    if (!this.#isCurrent) {
      this.#recent = [];
      this.#recentAfter = await this.#messages.newestEvent();
      this.#isCurrent = true;
    }
    let page: LoggedMessage[];
    do {
      page = await this.#messages.eventsAfter(this.#recent.at(-1)?.seq ?? this.#recentAfter, PAGE);
      this.#recent.push(...page);
      if (this.#recent.length > RECENT) {
        const old = this.#recent.splice(0, this.#recent.length - RECENT);
        this.#recentAfter = old.at(-1)!.seq;
      }
      if (page.length === 0) break;
      await this.#notify();
      const pauseMs = Math.floor(this.#followers * PAUSE_MS_A_FOLLOWER);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    } while (page.length === PAGE);
  }

  /** Notifies all that wait, a few at a time. */
  async #notify(): Promise<void> {
    let notified = 0;
    for (const look of [...this.#waiting]) {
      look();
      if (++notified % FOLLOWERS_A_TURN === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** What memory has behind a place; undefined where that lies further back. */
  #recentBehind(place: number): FeedItem | undefined {
    if (!this.#isCurrent || place < this.#recentAfter) return undefined;
    const last = this.#recent.at(-1)?.seq ?? this.#recentAfter;
    // A place that is yet to come was never given out: the log knows what to say.
    if (place > last) return undefined;
    if (place === last) return { kind: "quiet" };
    const from = this.#recent.findLastIndex(({ seq }) => seq <= place) + 1;
    return { kind: "events", events: this.#recent.slice(from, from + PAGE) };
  }

  async #readBehind(place: number): Promise<FeedItem> {
    if (place !== 0 && !await this.#messages.hasEvent(place)) return { kind: "gap" };
    const events = await this.#messages.eventsAfter(place, PAGE);
    return events.length > 0 ? { kind: "events", events } : { kind: "quiet" };
  }

  /** Resolves with true when there may be more, with false where nothing came in a while. */
  #change(): { promise: Promise<boolean>; forget: () => void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const woken = () => end(true);
    const timer = setTimeout(() => end(false), this.#quietMs);
    const end = (value: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(woken);
      resolve(value);
    };
    this.#waiting.add(woken);
    return { promise, forget: () => end(true) };
  }
}
