/**
 * The weights of image towers, in memory once for all workers.
 *
 * [note: one copy] A tower's weights lie in a memory that threads share; each worker is lent a slot
 * of it to compute in. When the last one has been given back the memory is let go of, and the next
 * worker has it read again.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import {
  loadWeights,
  type Precision,
  type Slot,
  SlotKeeper,
  UnsupportedModel,
  type Weights,
} from "@fovea/vit";
import vit from "@fovea/vit/deno.json" with { type: "json" };
import type { ModelFile } from "./model_file.ts";

/** Values of EMBEDDING_PRECISION, the default first. */
export const PRECISIONS = ["fp32", "int8", "auto"] as const;

/** What a worker needs to compute with a tower: can be posted to it. */
export interface LentTower {
  readonly weights: Weights;
  readonly slot: Slot;
}

export interface SharedTowersOptions {
  /** `auto`: int8 where this processor is quick with it and it has proved itself, else fp32. */
  precision: typeof PRECISIONS[number];
  /** Of the workers that there can be. */
  workers: number;
  log: Logger;
}

/** A tower in memory, or on its way there; null where something else has to run the model. */
interface Shared {
  tower: Promise<{ weights: Weights; keeper: SlotKeeper } | null>;
  /** Workers that have it, or wait for it. */
  users: number;
}

/** As results and `GET /info` name it. */
export function towerBackend({ precision, levels }: Weights): string {
  const bits = precision === "int8" ? `, ${levels === 255 ? 8 : 7}-bit activations` : "";
  return `${vit.name} ${vit.version} wasm ${precision}${bits}`;
}

export class SharedTowers {
  readonly #options: SharedTowersOptions;
  /** By the model's digest. */
  readonly #shared = new Map<string, Shared>();
  readonly #lent = new Map<LentTower, string>();

  constructor(options: SharedTowersOptions) {
    this.#options = options;
  }

  /** @returns null where the model is no tower, or can't be run as one here: ONNX Runtime is to */
  async lend(model: ModelFile): Promise<LentTower | null> {
    const shared = this.#shared.get(model.sha256) ?? { tower: this.#load(model), users: 0 };
    this.#shared.set(model.sha256, shared);
    shared.users++;
    const tower = await shared.tower;
    if (tower === null) return null;
    const lent = { weights: tower.weights, slot: await takeSlot(tower.keeper) };
    this.#lent.set(lent, model.sha256);
    return lent;
  }

  /** Takes a slot back from a worker that has ended. */
  async release(lent: LentTower): Promise<void> {
    const sha256 = this.#lent.get(lent)!;
    const shared = this.#shared.get(sha256)!;
    this.#lent.delete(lent);
    (await shared.tower)?.keeper.release(lent.slot);
    if (--shared.users > 0) return;
    this.#shared.delete(sha256);
    // Nothing else would have the engine look for it while the service has nothing to do.
    (globalThis as { gc?: () => void }).gc?.();
  }

  async #load(model: ModelFile): Promise<{ weights: Weights; keeper: SlotKeeper } | null> {
    const { precision, workers, log } = this.#options;
    const load = (precision: Precision) =>
      loadWeights(model.path, {
        precision,
        sha256: model.sha256,
        // A worker that takes the place of another may come before that one has stopped computing.
        slots: 2 * workers,
        onNotice: (text) => log.info(text),
      });
    try {
      let weights = await load(precision === "fp32" ? "fp32" : "int8");
      if (precision === "auto" && weights.levels !== 255) weights = await load("fp32");
      if (precision === "int8" && weights.precision === "fp32") {
        log.warn({ model: model.name, ...weights.proof }, "int8 strays too far: it stays fp32");
      }
      return { weights, keeper: new SlotKeeper(weights) };
    } catch (error) {
      const reason = (error as Error).message;
      const level = error instanceof UnsupportedModel ? "info" : "warn";
      log[level]({ model: model.name, reason }, "model is left to onnxruntime-web");
      return null;
    }
  }
}

/** Between two looks for a slot. */
const SLOT_PAUSE_MS = 50;

/**
 * A slot; where all are taken, the next one whose thread is done with it. There are twice as many as
 * workers, so those that are alive never have them all, and one that was given back is free in seconds.
 */
async function takeSlot(keeper: SlotKeeper): Promise<Slot> {
  for (;;) {
    const slot = keeper.tryTake();
    if (slot !== undefined) return slot;
    await new Promise((resolve) => setTimeout(resolve, SLOT_PAUSE_MS));
  }
}
