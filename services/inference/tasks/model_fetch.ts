/**
 * How far the model of a task has come on its way to this machine, for those who wait for it.
 *
 * @module
 */
import type { TaskInfo } from "@fovea/contract";
import { type ModelEntry, TransferRate } from "@fovea/models";

export class ModelFetch {
  readonly #clock: () => number;
  #rate = new TransferRate();
  #coming: { entry: ModelEntry; bytes: number } | undefined;
  #failure: { why: string; retryAt: number } | undefined;

  /** @param clock ms that only grow */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** So many bytes of a model are there. */
  received(entry: ModelEntry, bytes: number): void {
    if (this.#coming?.entry !== entry) this.#rate = new TransferRate();
    this.#rate.add(bytes, this.#clock());
    this.#coming = { entry, bytes };
    this.#failure = undefined;
  }

  /** A try failed; the next one comes after a pause. */
  failed(why: string, pauseMs: number): void {
    this.#failure = { why, retryAt: this.#clock() + pauseMs };
  }

  describe(): Pick<TaskInfo, "progress" | "detail"> {
    const progress = this.#progress();
    const detail = [this.#sayProgress(progress), this.#sayFailure()].filter((part) =>
      part !== null
    );
    return {
      ...progress !== undefined && { progress },
      ...detail.length > 0 && { detail: detail.join("; ") },
    };
  }

  #progress(): TaskInfo["progress"] | undefined {
    if (this.#coming === undefined) return undefined;
    const { entry, bytes } = this.#coming;
    const seconds_left = this.#rate.secondsUntil(entry.bytes, this.#clock());
    return { bytes, total_bytes: entry.bytes, seconds_left };
  }

  #sayProgress(progress: TaskInfo["progress"]): string | null {
    if (progress === undefined) return null;
    const { bytes, total_bytes, seconds_left } = progress;
    const left = seconds_left === null ? "" : `, about ${duration(seconds_left)} left`;
    const { name } = this.#coming!.entry;
    return `fetching ${name}: ${megabytes(bytes)} of ${megabytes(total_bytes)} MB are there${left}`;
  }

  #sayFailure(): string | null {
    if (this.#failure === undefined) return null;
    const { why, retryAt } = this.#failure;
    const seconds = Math.ceil((retryAt - this.#clock()) / 1000);
    return `${why}; trying again ${seconds > 0 ? `in ${seconds} s` : "now"}`;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
