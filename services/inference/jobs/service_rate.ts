/**
 * How many jobs have ended of late.
 *
 * @module
 */

/** Over how long it is measured. */
const WINDOW_SECONDS = 60;

export class ServiceRate {
  readonly #seconds = new Uint32Array(WINDOW_SECONDS);
  readonly #clockMs: () => number;
  readonly #since: number;
  #last: number;

  /** @param clockMs milliseconds that only grow, whatever the time of day does */
  constructor(clockMs: () => number) {
    this.#clockMs = clockMs;
    this.#since = this.#second();
    this.#last = this.#since;
  }

  /** A job has ended. */
  count(): void {
    this.#forgetOld();
    this.#seconds[this.#last % WINDOW_SECONDS]!++;
  }

  /** How many have ended within the last minute. */
  get lastMinute(): number {
    this.#forgetOld();
    return this.#seconds.reduce((sum, count) => sum + count, 0);
  }

  /** Jobs a second, over the last minute or, sooner after the start, since then; 0 where none has ended. */
  get perSecond(): number {
    const jobs = this.lastMinute;
    return jobs / Math.min(WINDOW_SECONDS, this.#last - this.#since + 1);
  }

  #forgetOld(): void {
    const second = this.#second();
    const passed = Math.min(second - this.#last, WINDOW_SECONDS);
    for (let i = 0; i < passed; i++) this.#seconds[(second - i) % WINDOW_SECONDS] = 0;
    this.#last = second;
  }

  #second(): number {
    return Math.floor(this.#clockMs() / 1000);
  }
}
