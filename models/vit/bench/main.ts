/**
 * `deno task bench-vit`: how fast the encoder is, whole and kernel by kernel, and how
 * close each kernel comes to what the processor can do.
 *
 * Each precision has a process of its own, whose memory is told. Every figure is the best of several runs, since other programs only ever make it worse.
 *
 * @module
 */
import { loadWeights } from "../load_weights.ts";
import type { Precision } from "../packing/layout.ts";
import { SlotKeeper } from "../slots.ts";
import type { Weights } from "../weights.ts";
import { measureKernels } from "./kernel_figures.ts";
import type { Round, Timing } from "./round.ts";

/** As large as the real tower; `deno task bench` makes it. */
const MODEL = "models/cache/clip_vit_b_32_seeded.onnx";
const BATCHES = [1, 4, 8];
const WORKERS = [1, 2];

function table(rows: string[][]): void {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: string[]) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ");
  console.log(rows.map(line).join("\n") + "\n");
}

/** Workers that embed for some rounds at the same time; the best of each. */
async function race(weights: Weights, workers: number, batch: number): Promise<Timing[]> {
  const keeper = new SlotKeeper(weights);
  const rounds = Math.max(3, Math.round(16 / batch));
  return await Promise.all(Array.from({ length: workers }, async () => {
    const worker = new Worker(new URL("./round.ts", import.meta.url), { type: "module" });
    try {
      const order: Round = { weights, slot: keeper.take(), batch, rounds };
      return await new Promise<Timing>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Timing>) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(order);
      });
    } finally {
      worker.terminate();
    }
  }));
}

const precision = Deno.args[0] as Precision;
const begun = performance.now();
const room = { slots: Math.max(...WORKERS), maxBatch: Math.max(...BATCHES) };
const weights = await loadWeights(MODEL, { ...room, precision, onNotice: console.error });
const seconds = (performance.now() - begun) / 1000;
console.log(
  `${weights.precision}: loaded in ${seconds.toFixed(2)} s, digest of the model included`,
);
if (weights.proof !== null) console.log(JSON.stringify(weights.proof));
console.log();
table([["kernel", "ms a picture", "Gop/s", "of the roofline"], ...await measureKernels(weights)]);

const rows = [["workers", "batch", "ms a picture, alone", "pictures/s, all", "RSS, MB"]];
for (const workers of WORKERS) {
  for (const batch of BATCHES) {
    const timings = await race(weights, workers, batch);
    const best = Math.min(...timings.map(({ best }) => best));
    const rate = timings.reduce((sum, { median }) => sum + 1000 * batch / median, 0);
    rows.push([
      String(workers),
      String(batch),
      (best / batch).toFixed(1),
      rate.toFixed(1),
      (Deno.memoryUsage().rss / 1e6).toFixed(0),
    ]);
  }
}
table(rows);
