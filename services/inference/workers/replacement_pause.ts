/**
 * The pause before another worker takes the place of one that can't be started, or died with nothing
 * to do: else such a worker would be followed by the next without end.
 *
 * @module
 */
export class ReplacementPause {
  readonly #pauseMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  get isOver(): boolean {
    return this.#timer === undefined;
  }

  /** Begins anew where one is under way. @param onOver called once it is over, unless it is closed */
  begin(onOver: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      onOver();
    }, this.#pauseMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
