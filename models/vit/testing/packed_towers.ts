/**
 * Towers packed and opened without files, for tests.
 *
 * @module
 */
import { type Encoder, openEncoder } from "../encoder.ts";
import { layOut } from "../packing/layout.ts";
import { packTower } from "../packing/pack_tower.ts";
import { SlotKeeper } from "../slots.ts";
import type { Tower, TowerShape } from "../tower.ts";
import { allotWeights, type Room, type Weights, WEIGHTS_START } from "../weights.ts";

export async function packFp32<Shape extends TowerShape>(
  tower: Tower & { shape: Shape },
  room: Room = {},
): Promise<Weights<Shape>> {
  const weights = await allotWeights(tower.shape, "fp32", room);
  packTower(tower, layOut(tower.shape, "fp32", WEIGHTS_START), weights.memory);
  return weights;
}

/** An encoder in the first slot of weights that nobody else uses. */
export function openFirst(weights: Weights): Encoder {
  return openEncoder(weights, new SlotKeeper(weights).take());
}
