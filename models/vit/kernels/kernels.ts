/**
 * The kernels as TypeScript calls them: one function each of kernels.wasm, which
 * `deno task build-kernels` makes of the C files beside it. What each computes, and how its
 * operands lie, stands in its C file.
 *
 * @module
 */

/** Where something begins in the kernels' memory, bytes. */
export type Address = number;

/** No bias. */
export const NONE: Address = 0;

/** Columns of a panel: weights are packed in multiples of it. */
export const PANEL = 8;

/** The kernels can be given a memory of so many pages at most. */
export const MAX_PAGES = 65536;
export const PAGE_BYTES = 65536;

export interface Kernels {
  gemm_f32(
    a: Address,
    aStride: number,
    weights: Address,
    bias: Address,
    c: Address,
    cStride: number,
    rows: number,
    columns: number,
    depth: number,
    add: boolean,
  ): void;
  gemm_i8(
    q: Address,
    rowScales: Address,
    rowZeros: Address,
    weights: Address,
    columnScales: Address,
    columnSums: Address,
    bias: Address,
    c: Address,
    cStride: number,
    rows: number,
    columns: number,
    depth: number,
    add: boolean,
  ): void;
  quantise(
    x: Address,
    balance: Address,
    q: Address,
    scales: Address,
    zeros: Address,
    rows: number,
    depth: number,
    levels: Levels,
  ): void;
  layer_norm(
    x: Address,
    xStride: number,
    gain: Address,
    bias: Address,
    y: Address,
    rows: number,
    width: number,
    epsilon: number,
  ): void;
  quick_gelu(x: Address, count: number): void;
  gelu(x: Address, count: number): void;
  pack_keys(keys: Address, stride: number, panels: Address, tokens: number, width: number): void;
  pack_values(
    values: Address,
    stride: number,
    panels: Address,
    tokens: number,
    width: number,
  ): void;
  softmax(scores: Address, stride: number, rows: number, columns: number): void;
  softmax_causal(scores: Address, stride: number, rows: number): void;
  patches(pixels: Address, patches: Address, size: number, patch: number, stride: number): void;
  gather(
    x: Address,
    xStride: number,
    columns: Address,
    count: number,
    y: Address,
    rows: number,
  ): void;
  /** What the bench compares with: see `peak.c`. */
  peak_f32(numbers: Address, rounds: number): void;
  peak_i8(numbers: Address, rounds: number): void;
  dot_probe(q: number, p: number): number;
  xxh64(words: Address, length: number): bigint;
}

/** The largest integer an activation is quantised to. */
export type Levels = 127 | 255;

/** int8's smallest cosine to fp32, as ViT-B/32's size has it with random weights. */
export const CLOSE_COSINE: Readonly<Record<Levels, number>> = { 127: 0.998, 255: 0.999 };

const binary = Deno.readFileSync(new URL("./kernels.wasm", import.meta.url));

/** Whether this runtime knows relaxed SIMD (and threads), which the kernels are made of. */
export function supported(): boolean {
  return WebAssembly.validate(binary);
}

/** @returns what {@link instantiate} takes, in this thread or another */
export function compileKernels(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(binary);
}

/** @param memory shared, as many instances as there are threads may work on it */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

/** 255 where this processor's dot product is exact with it (one made for neural networks: VNNI), else 127. */
export function exactLevels(module: WebAssembly.Module): Levels {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const kernels = instantiate(module, memory);
  const isExact = [127, -127].every((p) => kernels.dot_probe(255, p) === 4 * 255 * p);
  return isExact ? 255 : 127;
}
