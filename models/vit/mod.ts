/**
 * The image tower of CLIP and its like: read from ONNX files by structure, packed, and run.
 *
 * @module
 */
export type {
  Activation,
  Block,
  ImageTower,
  ImageTowerShape,
  Linear,
  Norm,
  Projection,
  TextTower,
  TextTowerShape,
  Tower,
  TowerShape,
  TransformerShape,
} from "./tower.ts";
export { readTower } from "./read_tower.ts";
export { UnsupportedModel } from "./unsupported_model.ts";
export { type Encoder, openEncoder } from "./encoder.ts";
export { CLOSE_COSINE, type Levels, supported } from "./kernels/kernels.ts";
export { type LoadOptions, loadWeights } from "./load_weights.ts";
export type { Precision } from "./packing/layout.ts";
export type { Proof } from "./packing/proof.ts";
export { type Slot, SlotKeeper } from "./slots.ts";
export type { Room, Slots, Weights } from "./weights.ts";
