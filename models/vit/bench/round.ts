/**
 * A worker of the bench: embeds the same pictures some times over.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { openEncoder } from "../encoder.ts";
import type { Slot } from "../slots.ts";
import type { Weights } from "../weights.ts";

export interface Round {
  weights: Weights;
  slot: Slot;
  batch: number;
  rounds: number;
}

/** Milliseconds a batch. */
export interface Timing {
  best: number;
  median: number;
}

self.onmessage = ({ data: { weights, slot, batch, rounds } }: MessageEvent<Round>) => {
  const encoder = openEncoder(weights, slot);
  const length = batch * 3 * weights.shape.imageSize ** 2;
  const pixels = Float32Array.from({ length }, (_, i) => Math.sin(i));
  for (let i = 0; i < 2; i++) encoder.run(pixels, batch); // until the kernels are optimised
  const times = Array.from({ length: rounds }, () => {
    const begun = performance.now();
    encoder.run(pixels, batch);
    return performance.now() - begun;
  }).sort((a, b) => a - b);
  self.postMessage({ best: times[0]!, median: times[rounds >> 1]! });
};
