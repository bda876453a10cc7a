/**
 * How the encoder's measurements are printed.
 *
 * @module
 */
import { fixed, printTable } from "@fovea/bench/table";
import type { EncoderMeasured } from "./measure.ts";

/** Prints each kernel against the roofline. */
export function printKernels(measured: readonly EncoderMeasured[]): void {
  for (const { precision, kernels: { roofline, kernels } } of measured) {
    console.log(`\nkernels as one picture of ViT-B/32 needs them, ${precision}, one core\n`);
    printTable(["", "ms a picture", "Gop/s", "of the roofline"], [
      ["registers only", "", fixed(roofline[precision]), ""],
      ...kernels.map(({ name, ms, operations, precision }) => {
        const rate = operations / ms / 1e6;
        const share = `${Math.round(100 * rate / roofline[precision])} %`;
        return [name, fixed(ms, 2), ...operations > 0 ? [fixed(rate), share] : ["", ""]];
      }),
    ]);
  }
}

/** Prints how fast the whole is, by threads and batch, and its memory. */
export function printSpeeds(measured: readonly EncoderMeasured[]): void {
  for (const { precision, readingMs, memory, speeds } of measured) {
    console.log(
      `\nencoder, ${precision}: packed weights read in ${fixed(readingMs, 0)} ms; ` +
        `${fixed(memory / 1e6, 0)} MB with two threads\n`,
    );
    printTable(
      ["threads, batch", "best ms a picture", "pictures/s"],
      speeds.map(({ threads, batch, bestMs, picturesPerSecond }) => [
        `${threads}, ${batch}`,
        fixed(bestMs),
        fixed(picturesPerSecond),
      ]),
    );
  }
}
