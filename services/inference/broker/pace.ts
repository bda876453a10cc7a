/**
 * How fast the service publishes: no faster than those clients take it that do read.
 *
 * @module
 */

/** A client with less than this before it keeps up, bytes. */
const BEHIND_BYTES = 1024 * 1024;

/** Who takes less than this in a second is not waited for: one slow client must not hold up the rest. */
const LEAST_BYTES_PER_SECOND = 1024 * 1024;

/** Between two looks at who is behind, milliseconds. */
const LOOK_MS = 20;

/** One client's connection. */
export interface Reader {
  /** Bytes that were sent and that it has not taken yet. */
  readonly unread: number;
  /** Bytes that it has taken. */
  readonly taken: number;
  readonly destroyed: boolean;
}

export class Pace {
  /** Those that were found too slow, until they have caught up. */
  readonly #slow = new WeakSet<Reader>();

  /** Resolves when each of them keeps up, or reads too slowly to be waited for. */
  async keptUp(readers: Iterable<Reader>): Promise<void> {
    for (const reader of readers) {
      if (reader.unread <= BEHIND_BYTES) this.#slow.delete(reader);
      else if (!this.#slow.has(reader)) await this.#caughtUp(reader);
    }
  }

  async #caughtUp(reader: Reader): Promise<void> {
    let since = performance.now();
    let before = reader.taken;
    while (reader.unread > BEHIND_BYTES && !reader.destroyed && !this.#slow.has(reader)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (performance.now() - since < 1000) continue;
      if (reader.taken - before < LEAST_BYTES_PER_SECOND) this.#slow.add(reader);
      since = performance.now();
      before = reader.taken;
    }
  }
}
