/**
 * Changes for those who follow them as they happen. Who waits at the same place shares one reading of
 * the database, however many they are.
 *
 * @module
 */
import type { ChangePage, ChangePosition } from "@fovea/contract";
import type { ChangeRepository } from "./repository.ts";

/** Entries that are read at once. */
const PAGE = 100;

/** Often enough that nothing on the way takes a connection for dead. */
const QUIET_MS = 15_000;

export class ChangeFeed {
  readonly #changes: ChangeRepository;
  readonly #quietMs: number;
  readonly #ended = new AbortController();
  #next = Promise.withResolvers<void>();
  /** Readings since the last change, by the place behind which they read. */
  readonly #readings = new Map<string, Promise<ChangePage>>();

  /** @param quietMs without a change after which a follower is told that there was none */
  constructor(changes: ChangeRepository, quietMs: number = QUIET_MS) {
    this.#changes = changes;
    this.#quietMs = quietMs;
  }

  /** Says that there is a new change. */
  wake(): void {
    this.#readings.clear();
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Sends all followers away; they come back to the next process. */
  close(): void {
    this.#ended.abort();
  }

  /**
   * @param position what the follower has seen; left out, all that there is by now
   * @returns entries as they come; the first page comes at once, and later an empty one says that
   * nothing has happened for a while
   * @throws {Problem} `diverged`, before anything is given
   */
  async follow(
    position: ChangePosition | undefined,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<ChangePage>> {
    const first = await this.#read(position ?? await this.#changes.end());
    return this.#pages(first, AbortSignal.any([signal, this.#ended.signal]));
  }

  async *#pages(page: ChangePage, signal: AbortSignal): AsyncGenerator<ChangePage> {
    yield page;
    while (!signal.aborted) {
      // Before reading: what comes meanwhile is not missed.
      const change = this.#next.promise;
      page = await this.#read(page.next);
      if (page.changes.length === 0 && await this.#comes(change, signal)) continue;
      if (signal.aborted) return;
      yield page;
    }
  }

  #read(position: ChangePosition): Promise<ChangePage> {
    const key = JSON.stringify([position.after, position.after_id, position.tag]);
    let reading = this.#readings.get(key);
    if (reading === undefined) {
      reading = this.#changes.page(position, PAGE);
      this.#readings.set(key, reading);
      // Pages are remembered while they are read, and no longer: memory does not grow with places.
      const forget = () => {
        if (this.#readings.get(key) === reading) this.#readings.delete(key);
      };
      reading.then(forget, forget);
    }
    return reading;
  }

  /** @returns whether there is a change, or the end; false where nothing came in a while */
  async #comes(change: Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), this.#quietMs);
    const end = () => resolve(true);
    signal.addEventListener("abort", end, { once: true });
    change.then(end);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }
}
