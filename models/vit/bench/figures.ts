/**
 * What must hold of the encoder, worked out from what was measured.
 *
 * @module
 */
import { atLeast, atMost, type Figure } from "@fovea/bench/figure";
import { CLOSE_COSINE } from "../kernels/kernels.ts";
import type { Precision } from "../packing/layout.ts";
import type { EncoderMeasured } from "./measure.ts";

/** MB, of a process with two threads. */
const MAX_MEMORY_MB: Readonly<Record<Precision, number>> = { fp32: 500, int8: 220 };
/** Milliseconds to read what was packed. */
const MAX_READING_MS: Readonly<Record<Precision, number>> = { fp32: 800, int8: 300 };
/** Of fp32 to float64, before normalisation. */
const LARGEST_DIFFERENCE = 1e-5;

/** @param difference of fp32 to float64 */
export function figuresOf(
  measured: readonly EncoderMeasured[],
  difference: number,
): Figure[] {
  return [
    atMost("encoder, fp32: difference to float64 : 1e-5", difference / LARGEST_DIFFERENCE, 1),
    ...measured.flatMap(({ precision, levels, memory, readingMs, proof }) => [
      atMost(
        `encoder, ${precision}: MB with two threads`,
        memory / 1e6,
        MAX_MEMORY_MB[precision],
      ),
      atMost(
        `encoder, ${precision}: ms to read packed weights`,
        readingMs,
        MAX_READING_MS[precision],
      ),
      ...proof === null ? [] : [
        atLeast(
          `encoder, ${precision}: smallest cosine to fp32, made-up pictures`,
          proof.smallestCosine,
          CLOSE_COSINE[levels],
        ),
      ],
    ]),
  ];
}
