/**
 * A worker of the bench: embeds the same pictures again and again for a time.
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
  seconds: number;
}

/** Milliseconds a batch. */
export interface Timing {
  bestMs: number;
  medianMs: number;
}

self.onmessage = ({ data: { weights, slot, batch, seconds } }: MessageEvent<Round>) => {
  const encoder = openEncoder(weights, slot);
  const length = batch * 3 * weights.shape.imageSize ** 2;
  const pixels = new Float32Array(length);
  for (let i = 0; i < length; i++) pixels[i] = Math.sin(i);
  for (let i = 0; i < 2; i++) encoder.run(pixels, batch); // until the kernels are optimised
  const times: number[] = [];
  const until = performance.now() + 1000 * seconds;
  do {
    const begun = performance.now();
    encoder.run(pixels, batch);
    times.push(performance.now() - begun);
  } while (performance.now() < until);
  times.sort((a, b) => a - b);
  self.postMessage({ bestMs: times[0]!, medianMs: times[times.length >> 1]! });
};
