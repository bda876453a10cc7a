/**
 * A thread that embeds the same picture again and again, until it is ended.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { openEncoder } from "../encoder.ts";
import type { Slot } from "../slots.ts";
import type { Weights } from "../weights.ts";

interface Order {
  weights: Weights;
  slot: Slot;
  picture: Float32Array;
}

self.onmessage = ({ data: { weights, slot, picture } }: MessageEvent<Order>) => {
  const encoder = openEncoder(weights, slot);
  const embed = () => {
    self.postMessage(encoder.run(picture));
    setTimeout(embed);
  };
  embed();
};
