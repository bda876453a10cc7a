import type { JobRow } from "../database/jobs.ts";
import type { EmittedEvent } from "../jobs/event_transactions.ts";

/**
 * Something that happens in one part of the service and that others act upon. Parts wake each other
 * through signals, so that each can be made when its turn comes, whichever it wakes.
 *
 * @example
 * ```ts
 * import { Signal } from "./signals.ts";
 *
 * const workerFree = new Signal<number>();
 * workerFree.on((worker) => console.log(`worker ${worker} is free`));
 * workerFree.emit(1);
 * ```
 */
export class Signal<T = void> {
  readonly #listeners: ((value: T) => void)[] = [];

  /** Listeners are called in the order in which they came. */
  on(listener: (value: T) => void): void {
    this.#listeners.push(listener);
  }

  /** Can be passed on by itself, as a part's callback. */
  readonly emit = (value: T): void => {
    for (const listener of this.#listeners) listener(value);
  };
}

/** What happens in the service that other parts act upon. */
export class Signals {
  /** Changes of jobs were committed: there may be a job to begin, and events to send. */
  readonly committed = new Signal<readonly EmittedEvent[]>();
  readonly jobCompleted = new Signal<JobRow>();
  /** A job was cancelled that a worker is busy with: its `seq`. */
  readonly jobCancelled = new Signal<number>();
  readonly workerFree = new Signal();
  readonly mediaStoreBack = new Signal();
  /** Whether the broker still knows this service. */
  readonly brokerConnected = new Signal<boolean>();
}
