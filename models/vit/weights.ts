/**
 * A tower's weights in one memory that all threads share, with room in it for what each thread
 * computes.
 *
 * ```
 * 0          the kernels' stack, which none of them uses
 * 1024       two words a slot: see `slots.ts`
 * 65536      the weights, as `layout.ts` has them
 * …          the slots: what an encoder needs besides, as `scratch.ts` has it
 * ```
 *
 * @module
 */
import {
  type Address,
  compileKernels,
  exactLevels,
  type Levels,
  MAX_PAGES,
  PAGE_BYTES,
} from "./kernels/kernels.ts";
import { layOut, type Precision } from "./packing/layout.ts";
import type { Proof } from "./packing/proof.ts";
import { layOutScratch } from "./scratch.ts";
import type { ImageTowerShape, TowerShape } from "./tower.ts";

/** Weights can be posted to other threads, which see the same memory. */
export interface Weights<Shape extends TowerShape = ImageTowerShape> {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly shape: Shape;
  readonly precision: Precision;
  /** With which int8 proved itself, or failed to; null where it was not asked for. */
  readonly proof: Proof | null;
  /** How finely int8 quantises activations. */
  readonly levels: Levels;
  /** Pictures that an encoder takes at a time. */
  readonly maxBatch: number;
  readonly slots: Slots;
}

/** Where the slots lie, one after the other. */
export interface Slots {
  readonly start: Address;
  readonly bytes: number;
  readonly count: number;
}

/** What there is to be room for. */
export interface Room {
  /** Pictures that an encoder takes at a time; 1 unless said. Each takes up to 3 MB of a slot. */
  maxBatch?: number;
  /**
   * How many slots; 1 unless said. Twice the number of threads leaves one for each that takes the
   * place of another. A slot that was never used costs no memory.
   */
  slots?: number;
}

export const SLOT_WORDS_START: Address = 1024;
export const WEIGHTS_START: Address = PAGE_BYTES;

/**
 * Makes the memory for a tower's weights, which are still to be put there.
 *
 * @throws {UnsupportedModel} where the shape can't be tiled
 * @throws {RangeError} where there can't be so much room
 */
export async function allotWeights<Shape extends TowerShape>(
  shape: Shape,
  precision: Precision,
  { maxBatch = 1, slots = 1 }: Room,
): Promise<Weights<Shape>> {
  requireCount("maxBatch", maxBatch);
  requireCount("slots", slots);
  const start = toPages(layOut(shape, precision, WEIGHTS_START).end);
  const bytes = toPages(layOutScratch(shape, maxBatch, 0).end);
  const pages = (start + slots * bytes) / PAGE_BYTES;
  if (pages > MAX_PAGES) {
    throw new RangeError(
      `Cannot make room for ${slots} × ${maxBatch} pictures: ${pages} pages are needed, and there ` +
        `can be ${MAX_PAGES}`,
    );
  }
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const module = await compileKernels();
  return {
    module,
    memory,
    shape,
    precision,
    proof: null,
    levels: exactLevels(module),
    maxBatch,
    slots: { start, bytes, count: slots },
  };
}

function toPages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

function requireCount(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new RangeError(
    `Cannot make room: ${name} is ${value}, and must be a whole number from 1 on`,
  );
}
