/** Only bytes that came within this time count. */
const WINDOW_MS = 30_000;

/** Less time than this is too short for a rate. */
const MIN_SPAN_MS = 1000;

/** How fast a file comes, measured over the last half minute. */
export class TransferRate {
  #samples: { atMs: number; bytes: number }[] = [];

  /** @param bytes there are by now @param atMs on a clock that only goes forward */
  add(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    // Begun anew: what came before is gone.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    // One in each second is enough.
    if (this.#samples.length > 1 && atMs - this.#samples.at(-2)!.atMs < MIN_SPAN_MS) {
      this.#samples.pop();
    }
    this.#samples.push({ atMs, bytes });
    this.#forget(atMs);
  }

  /** Seconds until so many bytes are there; null where nothing is known, or nothing comes. */
  secondsUntil(total: number, atMs: number): number | null {
    this.#forget(atMs);
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.bytes === first.bytes) return null;
    if (atMs - first.atMs < MIN_SPAN_MS) return null;
    const bytesPerMs = (last.bytes - first.bytes) / (atMs - first.atMs);
    return Math.ceil((total - last.bytes) / bytesPerMs / 1000);
  }

  #forget(atMs: number): void {
    const stays = this.#samples.findIndex((sample) => sample.atMs > atMs - WINDOW_MS);
    this.#samples = stays === -1 ? [] : this.#samples.slice(stays);
  }
}
