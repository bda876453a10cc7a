/**
 * Of many scores the highest, by a heap whose root is the lowest of them.
 *
 * @module
 */
export class BestSlots {
  readonly #limit: number;
  readonly #scores: Float64Array;
  readonly #slots: Int32Array;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#scores = new Float64Array(limit);
    this.#slots = new Int32Array(limit);
  }

  /** A score that is not above it has no place here any more. */
  get threshold(): number {
    return this.#count < this.#limit ? -Infinity : this.#scores[0]!;
  }

  add(score: number, slot: number): void {
    if (this.#count < this.#limit) this.#rise(this.#count++, score, slot);
    else if (score > this.#scores[0]!) this.#sink(score, slot);
  }

  result(): { slots: Int32Array<ArrayBuffer>; scores: Float64Array<ArrayBuffer> } {
    return {
      slots: this.#slots.slice(0, this.#count),
      scores: this.#scores.slice(0, this.#count),
    };
  }

  #rise(at: number, score: number, slot: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#scores[parent]! <= score) break;
      this.#scores[at] = this.#scores[parent]!;
      this.#slots[at] = this.#slots[parent]!;
      at = parent;
    }
    this.#scores[at] = score;
    this.#slots[at] = slot;
  }

  /** Takes the root's place. */
  #sink(score: number, slot: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#scores[child + 1]! < this.#scores[child]!) child++;
      if (this.#scores[child]! >= score) break;
      this.#scores[at] = this.#scores[child]!;
      this.#slots[at] = this.#slots[child]!;
      at = child;
    }
    this.#scores[at] = score;
    this.#slots[at] = slot;
  }
}
