/**
 * When each worker is to be shown the canary. [note: canary]
 *
 * @module
 */
import type { PooledWorker } from "./pooled_worker.ts";

export class CanarySchedule {
  readonly #intervalMs: number;
  readonly #onDue: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it goes off, by performance.now(). */
  #dueAt = Infinity;

  /**
   * @param intervalMs between two canaries of a worker
   * @param onDue called when a worker that has nothing to do is due
   */
  constructor(intervalMs: number, onDue: () => void) {
    this.#intervalMs = intervalMs;
    this.#onDue = onDue;
  }

  /**
   * The workers that have nothing to do and are due.
   *
   * @param latenessMs how late they may be: 0 where no job waits
   */
  due(workers: Iterable<PooledWorker>, latenessMs: number): PooledWorker[] {
    const due = performance.now() - this.#intervalMs - latenessMs;
    return [...workers].filter(({ busy, healthyAt = Infinity }) => !busy && healthyAt <= due);
  }

  /** Looks anew when the next one is due. */
  update(workers: Iterable<PooledWorker>): void {
    let dueAt = Infinity;
    for (const { busy, healthyAt = Infinity } of workers) {
      if (!busy) dueAt = Math.min(dueAt, healthyAt + this.#intervalMs);
    }
    // One that comes too early finds nothing to do, and is followed by another.
    if (dueAt >= this.#dueAt) return;
    this.close();
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#dueAt = Infinity;
      this.#onDue();
    }, Math.max(0, dueAt - performance.now()));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }
}
