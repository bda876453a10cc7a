/**
 * Jobs that were given to the pool while no worker was free, the oldest first. The caller asks
 * how many are free, and may come back when they no longer are: a model is being loaded, say.
 *
 * @module
 */
import { Problem } from "@fovea/contract";

interface WaitingJob<Worker> {
  begin(worker: Worker): void;
  end(why: Problem): void;
}

export class WaitingJobs<Worker, Outcome> {
  readonly #jobs: WaitingJob<Worker>[] = [];

  get count(): number {
    return this.#jobs.length;
  }

  /**
   * @param run does the job on the worker that it is given
   * @param signal ends the waiting
   * @throws {Problem} `cancelled`, or what {@link endAll} was given
   */
  add(run: (worker: Worker) => Promise<Outcome>, signal?: AbortSignal): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const endingWait = <T>(how: (value: T) => void) => (value: T) => {
      signal?.removeEventListener("abort", cancel);
      how(value);
    };
    const waiting = {
      begin: endingWait((worker: Worker) => resolve(run(worker))),
      end: endingWait<Problem>(reject),
    };
    const cancel = () => {
      this.#jobs.splice(this.#jobs.indexOf(waiting), 1);
      waiting.end(new Problem("cancelled", "job was cancelled before a worker was free"));
    };
    this.#jobs.push(waiting);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
    return promise;
  }

  /** @param take a worker for one job, to which it is given before anything else happens; undefined where there is none */
  beginOn(take: () => Worker | undefined): void {
    while (this.#jobs.length > 0) {
      const worker = take();
      if (worker === undefined) return;
      this.#jobs.shift()!.begin(worker);
    }
  }

  endAll(why: Problem): void {
    for (const waiting of this.#jobs.splice(0)) waiting.end(why);
  }
}
