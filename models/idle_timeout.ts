/** A time limit that each sign of life starts anew: its signal aborts unless it is reset in time. */
export class IdleTimeout implements Disposable {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param signal another reason to abort */
  constructor(signal?: AbortSignal) {
    this.signal = signal === undefined
      ? this.#controller.signal
      : AbortSignal.any([signal, this.#controller.signal]);
  }

  /**
   * Gives it `ms` more milliseconds.
   *
   * @param silence what to say when they have passed, such as "no answer"
   */
  reset(limitMs: number, silence: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#controller.abort(new Error(`${silence} for ${limitMs / 1000} s`)),
      limitMs,
    );
  }

  /** Ends what is still under way. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}
