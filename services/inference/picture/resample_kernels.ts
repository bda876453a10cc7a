/**
 * The two passes of scaling in WebAssembly (resample.c), and the memory they work in: it is laid
 * out anew for each scaling, grows to the largest, and belongs to this thread.
 *
 * @module
 */

/** Which pixels of a line make up each pixel of the scaled line, and how much each counts. */
export interface Taps {
  /** The part of the line that counts at all, pixels: from the first up to, but not with, the second. */
  from: number;
  to: number;
  /** First pixel for each scaled one, counted from `from`. */
  first: Int32Array;
  count: Int32Array;
  /** `most` places for each scaled pixel, of which its count is used. Whole numbers, `ONE` to one. */
  weights: Int32Array;
  most: number;
}

/** A weight of one, as resample.c has it. */
export const ONE = 1 << 22;

const PAGE = 1 << 16;
/** The kernels' stack lies below. */
const START = PAGE;
/** Kernels read and write whole registers, up to this many bytes behind an end. */
const REGISTER = 16;

type Pointer = number;
type TapPointers = [first: Pointer, count: Pointer, weights: Pointer, most: number, size: number];

interface Kernels {
  scale_rows(
    strip: Pointer,
    stride: number,
    channels: number,
    rows: number,
    ...rest: [...TapPointers, to: Pointer]
  ): void;
  scale_columns(rows: Pointer, stride: number, ...rest: [...TapPointers, to: Pointer]): void;
}

// Handed in rather than exported: memories are counted where they are made.
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 << 16 });
const kernels = new WebAssembly.Instance(
  new WebAssembly.Module(Deno.readFileSync(new URL("./resample.wasm", import.meta.url))),
  { env: { memory } },
).exports as unknown as Kernels;

/**
 * Scales what `read` gives: rows first, a strip at a time, then columns.
 *
 * @param read rows × columns × channels bytes, from the part that the taps say counts
 * @param stripBytes about how many bytes are read at once
 * @returns rows × columns × 3 bytes, of as many as the taps make
 */
export function scale(
  across: Taps,
  down: Taps,
  channels: number,
  stripBytes: number,
  read: (y: number, rows: number) => Uint8Array,
): Uint8Array {
  const stride = (across.to - across.from) * channels;
  const rows = Math.max(1, Math.floor(stripBytes / stride));
  const line = across.first.length * 3;
  const height = down.first.length;

  let end = START;
  const reserve = (bytes: number): Pointer => {
    const at = end;
    end = Math.ceil((end + bytes + REGISTER) / REGISTER) * REGISTER;
    return at;
  };
  const places = [across, down].map(({ first, count, weights }) =>
    [first, count, weights].map((numbers) => ({ numbers, at: reserve(numbers.byteLength) }))
  );
  const strip = reserve(rows * stride);
  const narrowed = reserve((down.to - down.from) * line);
  const scaled = reserve(height * line);
  if (end > memory.buffer.byteLength) {
    memory.grow(Math.ceil((end - memory.buffer.byteLength) / PAGE));
  }
  const [acrossAt, downAt] = places.map((arrays) =>
    arrays.map(({ numbers, at }) => {
      new Int32Array(memory.buffer, at).set(numbers);
      return at;
    }) as [Pointer, Pointer, Pointer]
  );

  const bytes = new Uint8Array(memory.buffer);
  for (let y = down.from; y < down.to; y += rows) {
    const count = Math.min(rows, down.to - y);
    bytes.set(read(y, count), strip);
    const to = narrowed + (y - down.from) * line;
    kernels.scale_rows(strip, stride, channels, count, ...acrossAt!, across.most, line / 3, to);
  }
  kernels.scale_columns(narrowed, line, ...downAt!, down.most, height, scaled);
  return bytes.slice(scaled, scaled + height * line);
}
