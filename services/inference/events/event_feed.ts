/**
 * Steps of jobs for who follows them over HTTP. Each follower reads the log of messages from a place
 * of its own, at its own pace: one that is slow costs nothing, and one that comes back goes on where
 * it was. See [note: one log].
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";
import { type LoggedMessage, MessageLog } from "./message_log.ts";

/** What a follower is told next. */
export type FeedItem =
  | { kind: "steps"; steps: LoggedMessage[] }
  /** Steps behind its last one have been forgotten: what follows is not all there was. */
  | { kind: "gap" }
  /** Nothing has happened for a while. */
  | { kind: "quiet" };

export interface EventFeedOptions {
  db: Kysely<Tables>;
  /** Milliseconds without a step after which a follower is told that there was none. */
  quiet?: number;
}

/** How many steps are read from the log at once. */
const PAGE = 100;

/** Often enough that nothing on the way takes the connection for dead. */
const QUIET = 15_000;

export class EventFeed {
  readonly #messages: MessageLog;
  readonly #quiet: number;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor({ db, quiet = QUIET }: EventFeedOptions) {
    this.#messages = new MessageLog(db);
    this.#quiet = quiet;
  }

  /** Says that there may be more steps. */
  wake(): void {
    for (const look of this.#waiting) look();
  }

  /** Sends all followers away; they come back to the next process. */
  close(): void {
    this.#closed = true;
    this.wake();
  }

  /** The place from which only what is yet to come is followed. */
  async end(): Promise<number> {
    return await this.#messages.newestStep();
  }

  /**
   * @param place the last step that the follower has had; from one that is not known (any more) it is
   *   told of a gap, and goes on with the oldest step there is
   */
  async *follow(place: number, signal: AbortSignal): AsyncGenerator<FeedItem> {
    const wake = () => this.wake();
    signal.addEventListener("abort", wake);
    try {
      while (!this.#closed && !signal.aborted) {
        // Before reading: what is written meanwhile is not missed.
        const changed = this.#change();
        const read = await this.#read(place);
        if (read.kind !== "quiet") changed.forget();
        else if (await changed.promise) continue;
        if (read.kind === "steps") place = read.steps.at(-1)!.seq;
        if (read.kind === "gap") place = 0;
        yield read;
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  async #read(place: number): Promise<FeedItem> {
    if (place !== 0 && !await this.#messages.hasStep(place)) return { kind: "gap" };
    const steps = await this.#messages.stepsAfter(place, PAGE);
    return steps.length > 0 ? { kind: "steps", steps } : { kind: "quiet" };
  }

  /** Resolves with true at the next wake, with false where none comes in a while. */
  #change(): { promise: Promise<boolean>; forget: () => void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const woken = () => end(true);
    const timer = setTimeout(() => end(false), this.#quiet);
    const end = (value: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(woken);
      resolve(value);
    };
    this.#waiting.add(woken);
    return { promise, forget: () => end(true) };
  }
}
