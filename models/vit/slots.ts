/**
 * Slots: the parts of the shared memory that threads compute in. The thread that owns the weights
 * hands them out, and takes them back when a thread has ended.
 *
 * [note: slots] A thread that was ended may go on for a while: Deno lets it finish what it is doing.
 * So a slot that is taken back is not handed out
 * again while a thread still computes in it. Each slot has two words. The first is its turn, which is
 * raised when the slot is taken back, so that its last thread can't begin anything new there. The
 * second is the turn of the thread that computes in it just now, or 0.
 *
 * @module
 */
import type { Address } from "./kernels/kernels.ts";
import type { TowerShape } from "./tower.ts";
import { SLOT_WORDS_START, type Weights } from "./weights.ts";

type AnyWeights = Weights<TowerShape>;

/** The right to compute in a slot; can be posted to the thread that is to have it. */
export interface Slot {
  readonly index: number;
  readonly turn: number;
}

/** A slot's words. */
const TURN = 0;
const COMPUTING = 1;
const WORDS = 2;

/** No turn, since turns count from 1. */
const NOBODY = 0;

/** After this nobody computes any more in a slot that was taken back. */
const MAX_AFTERLIFE_MS = 10_000;

/** Kept by the owner of the weights, and by it alone. */
export class SlotKeeper {
  readonly #weights: AnyWeights;
  readonly #free: { index: number; since: number }[];

  constructor(weights: AnyWeights) {
    this.#weights = weights;
    for (let i = 0; i < weights.slots.count; i++) Atomics.add(wordsOf(weights, i), TURN, 1);
    this.#free = Array.from({ length: weights.slots.count }, (_, index) => ({ index, since: 0 }));
  }

  /** @throws {Error} where all slots are taken */
  take(): Slot {
    const slot = this.tryTake();
    if (slot !== undefined) return slot;
    throw new Error(`Cannot hand out a slot: all ${this.#weights.slots.count} are taken`);
  }

  /** @returns undefined where all slots are taken, or threads still compute in them */
  tryTake(): Slot | undefined {
    const now = Date.now();
    const at = this.#free.findIndex(({ index, since }) =>
      !isComputing(this.#weights, index) || now - since > MAX_AFTERLIFE_MS
    );
    if (at < 0) return undefined;
    const index = this.#free.splice(at, 1)[0]!.index;
    return { index, turn: Atomics.load(wordsOf(this.#weights, index), TURN) };
  }

  /** Takes a slot back from a thread that is done with it or has been ended. */
  release({ index, turn }: Slot): void {
    const raised = turn + 1;
    if (Atomics.compareExchange(wordsOf(this.#weights, index), TURN, turn, raised) !== turn) return;
    // First come those that were used before: their memory is there already.
    this.#free.unshift({ index, since: Date.now() });
  }
}

/** Where a slot begins. @throws {RangeError} where there is no such slot */
export function addressOf({ slots }: AnyWeights, { index }: Slot): Address {
  if (Number.isInteger(index) && index >= 0 && index < slots.count) {
    return slots.start + index * slots.bytes;
  }
  throw new RangeError(`Cannot compute in slot ${index}: there are ${slots.count}`);
}

/**
 * Computes in a slot, unless it was taken back.
 *
 * @throws {Error} where it was
 */
export function computeIn<T>(weights: AnyWeights, { index, turn }: Slot, compute: () => T): T {
  const words = wordsOf(weights, index);
  requireTurn(words, turn);
  Atomics.store(words, COMPUTING, turn);
  try {
    requireTurn(words, turn);
    return compute();
  } finally {
    Atomics.compareExchange(words, COMPUTING, turn, NOBODY);
  }
}

function requireTurn(words: Int32Array, turn: number): void {
  if (Atomics.load(words, TURN) === turn) return;
  throw new Error("Cannot compute in a slot: it was taken back");
}

function wordsOf({ memory }: AnyWeights, index: number): Int32Array {
  return new Int32Array(memory.buffer, SLOT_WORDS_START + index * WORDS * 4, WORDS);
}

function isComputing(weights: AnyWeights, index: number): boolean {
  return Atomics.load(wordsOf(weights, index), COMPUTING) !== NOBODY;
}
