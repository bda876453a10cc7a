/**
 * Measures the encoder in one precision, in a process of its own, so that its memory can be measured.
 * Its argument is a {@link MeasureRequest} as JSON, and it prints an {@link EncoderMeasured} as JSON.
 *
 * Milliseconds are the best of several runs, since other programs only ever make them worse.
 *
 * @module
 */
import { peakMemory } from "@fovea/bench/peak_memory";
import { loadWeights } from "../load_weights.ts";
import type { Levels } from "../kernels/kernels.ts";
import type { Precision } from "../packing/layout.ts";
import type { Proof } from "../packing/proof.ts";
import { SlotKeeper } from "../slots.ts";
import type { Room, Weights } from "../weights.ts";
import { type KernelFigures, measureKernels } from "./kernel_figures.ts";
import type { Round, Timing } from "./round.ts";

export interface MeasureRequest {
  path: string;
  sha256: string;
  precision: Precision;
  /** For each line of speeds. */
  seconds: number;
}

export interface EncoderMeasured {
  precision: Precision;
  levels: Levels;
  proof: Proof | null;
  /** Milliseconds from nothing to weights in memory, packed before. */
  readingMs: number;
  /** Bytes, the most at once: the whole process with two threads that embed a picture at a time. */
  memory: number;
  speeds: Speed[];
  kernels: KernelFigures;
}

export interface Speed {
  threads: number;
  batch: number;
  /** Milliseconds a picture of a thread's best batch. */
  bestMs: number;
  /** Of all threads together. */
  picturesPerSecond: number;
}

const BATCHES = [4, 8];

/** Threads that embed at the same time. */
async function measureSpeed(
  weights: Weights,
  threads: number,
  batch: number,
  seconds: number,
): Promise<Speed> {
  const keeper = new SlotKeeper(weights);
  const timings = await Promise.all(Array.from({ length: threads }, async () => {
    const worker = new Worker(new URL("./round.ts", import.meta.url), { type: "module" });
    try {
      const round: Round = { weights, slot: keeper.take(), batch, seconds };
      return await new Promise<Timing>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Timing>) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(round);
      });
    } finally {
      worker.terminate();
    }
  }));
  return {
    threads,
    batch,
    bestMs: Math.min(...timings.map(({ bestMs }) => bestMs)) / batch,
    picturesPerSecond: timings.reduce((sum, { medianMs }) => sum + 1000 * batch / medianMs, 0),
  };
}

async function measure(
  { path, sha256, precision, seconds }: MeasureRequest,
): Promise<EncoderMeasured> {
  const load = (room: Room) => loadWeights(path, { ...room, sha256, precision });
  const begun = performance.now();
  // As the service has them: room for workers that take the place of others.
  const weights = await load({ slots: 4 });
  const readingMs = performance.now() - begun;
  const speeds = [await measureSpeed(weights, 2, 1, seconds)];
  const memory = await peakMemory();

  speeds.unshift(await measureSpeed(weights, 1, 1, seconds));
  const kernels = measureKernels(weights);
  const roomy = await load({ slots: 2, maxBatch: Math.max(...BATCHES) });
  for (const threads of [1, 2]) {
    for (const batch of BATCHES) speeds.push(await measureSpeed(roomy, threads, batch, seconds));
  }
  const { levels, proof } = weights;
  return { precision: weights.precision, levels, proof, readingMs, memory, speeds, kernels };
}

if (import.meta.main) console.log(JSON.stringify(await measure(JSON.parse(Deno.args[0]!))));
