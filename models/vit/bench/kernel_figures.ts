/**
 * Each kernel as one picture needs it, against the roofline: what the processor's 128-bit units can
 * do with nothing to load.
 *
 * @module
 */
import { type Address, instantiate, type Kernels, NONE } from "../kernels/kernels.ts";
import { layOut, type PackedLinear, type PackedTower, type Precision } from "../packing/layout.ts";
import { multiplyOf } from "../encoder.ts";
import { layOutScratch, type Scratch } from "../scratch.ts";
import { type Weights, WEIGHTS_START } from "../weights.ts";

/** Operations of a round of `peak_f32` and `peak_i8`, a multiply-add being two. */
const PEAK_ROUND = { fp32: 12 * 4 * 2, int8: 12 * 16 * 2 };

export interface KernelFigures {
  /** Gop/s with nothing to load. */
  roofline: Record<Precision, number>;
  kernels: KernelFigure[];
}

export interface KernelFigure {
  name: string;
  /** Milliseconds that a picture takes in it. */
  ms: number;
  /** Of a picture; 0 where its time is not that of multiplying. */
  operations: number;
  /** Whose roofline is the kernel's. */
  precision: Precision;
}

/** Every figure is the best of several runs. */
export function measureKernels(weights: Weights): KernelFigures {
  const { module, memory, shape, precision } = weights;
  const kernels = instantiate(module, memory);
  const packed = layOut(shape, precision, WEIGHTS_START);
  const scratch = layOutScratch(shape, 1, weights.slots.start);
  return {
    roofline: { fp32: peakOf(kernels, "fp32", scratch), int8: peakOf(kernels, "int8", scratch) },
    kernels: [
      ...products(weights, packed, kernels, scratch),
      ...others(weights, kernels, scratch).map((figure) => ({
        operations: 0,
        precision: "fp32" as const,
        ...figure,
      })),
    ],
  };
}

/** Gop/s */
function peakOf(kernels: Kernels, precision: Precision, { stream }: Scratch): number {
  const rounds = 200_000;
  const run = precision === "fp32" ? kernels.peak_f32 : kernels.peak_i8;
  return rounds * PEAK_ROUND[precision] / best(() => run(stream, rounds)) / 1e6;
}

/** Through all blocks, so that weights come from memory as they do at work; the last block as if it were like the others. */
function products(
  weights: Weights,
  { patches, blocks }: PackedTower,
  kernels: Kernels,
  scratch: Scratch,
): KernelFigure[] {
  const { tokens } = weights.shape;
  const multiply = multiplyOf(weights, kernels, scratch);
  const figure = (name: string, linears: PackedLinear[], rows: number) => ({
    name,
    ms: best(() => {
      for (const linear of linears) {
        multiply(linear, scratch.wide, rows, scratch.wide, linear.outputs);
      }
    }),
    operations: linears.reduce((sum, { depth, outputs }) => sum + 2 * rows * depth * outputs, 0),
    precision: weights.precision,
  });
  return [
    figure("patch embedding", [patches!.embedding], tokens - 1),
    figure("query, key, value", blocks.map(({ attention }) => attention), tokens),
    figure("output", blocks.map(({ output }) => output), tokens),
    figure("up", blocks.map(({ up }) => up), tokens),
    figure("down", blocks.map(({ down }) => down), tokens),
  ];
}

function others(
  { shape }: Weights,
  kernels: Kernels,
  scratch: Scratch,
): (Pick<KernelFigure, "name" | "ms"> & Partial<KernelFigure>)[] {
  const { tokens, width, heads, layers, mlp, imageSize, patch, activation, epsilon } = shape;
  const { wide, normed, stream, keys, values, scores, scoreStride } = scratch;
  const headWidth = width / heads;
  const stride = 3 * width;
  const each = (times: number, run: () => void) =>
    best(() => {
      for (let i = 0; i < times; i++) run();
    });
  const ofHeads = heads * layers;
  const gain: Address = WEIGHTS_START;
  return [
    {
      name: "patches",
      ms: best(() => kernels.patches(scratch.pixels, wide, imageSize, patch, 3 * patch ** 2)),
    },
    {
      name: "layer norm",
      ms: each(
        2 * layers + 1,
        () => kernels.layer_norm(stream, width, gain, gain, normed, tokens, width, epsilon),
      ),
    },
    {
      name: "pack keys and values",
      ms: each(ofHeads, () => {
        kernels.pack_keys(wide, stride, keys, tokens, headWidth);
        kernels.pack_values(wide, stride, values, tokens, headWidth);
      }),
    },
    {
      name: "scores",
      ms: each(
        ofHeads,
        () =>
          kernels.gemm_f32(
            wide,
            stride,
            keys,
            NONE,
            scores,
            scoreStride,
            tokens,
            scoreStride,
            headWidth,
            false,
          ),
      ),
      operations: ofHeads * 2 * tokens * tokens * headWidth,
    },
    {
      name: "softmax",
      ms: each(ofHeads, () => kernels.softmax(scores, scoreStride, tokens, tokens)),
    },
    {
      name: "mix values",
      ms: each(
        ofHeads,
        () =>
          kernels.gemm_f32(
            scores,
            scoreStride,
            values,
            NONE,
            normed,
            width,
            tokens,
            headWidth,
            tokens,
            false,
          ),
      ),
      operations: ofHeads * 2 * tokens * tokens * headWidth,
    },
    {
      name: activation,
      ms: each(layers, () => kernels[activation](wide, tokens * mlp)),
    },
  ];
}

/** Milliseconds, the least of several runs. */
function best(run: () => void): number {
  const times = Array.from({ length: 12 }, () => {
    const begun = performance.now();
    run();
    return performance.now() - begun;
  });
  return Math.min(...times);
}
