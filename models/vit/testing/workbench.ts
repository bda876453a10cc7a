/**
 * Kernels with a memory to try them in.
 *
 * @module
 */
import { type Address, compileKernels, instantiate, type Kernels } from "../kernels/kernels.ts";
import { Allotment } from "../packing/layout.ts";
import { randomNumbers } from "./random_tower.ts";

/** Numbers in the kernels' memory. */
export interface Placed<T> {
  address: Address;
  numbers: T;
}

export interface Workbench {
  kernels: Kernels;
  floats(numbers: ArrayLike<number>): Placed<Float32Array>;
  integers(numbers: ArrayLike<number>): Placed<Int32Array>;
  bytes(numbers: ArrayLike<number>): Placed<Uint8Array>;
  /** Numbers of −1…1. */
  random(count: number): Placed<Float32Array>;
  /** Whether all bytes that were not handed out are still zero. */
  isTidy(): boolean;
}

const GAP = 256;

/** Everything is placed with room between, in which a kernel that writes too far leaves traces. */
export async function openWorkbench(): Promise<Workbench> {
  const memory = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
  const kernels = instantiate(await compileKernels(), memory);
  const allotment = new Allotment(1024);
  const handedOut: [start: number, end: number][] = [];
  const random = randomNumbers(7);
  const place = (byteCount: number) => {
    const address = allotment.bytes(byteCount + GAP);
    handedOut.push([address, address + byteCount]);
    return address;
  };
  const floats = (numbers: ArrayLike<number>) => {
    const address = place(numbers.length * 4);
    const view = new Float32Array(memory.buffer, address, numbers.length);
    view.set(numbers);
    return { address, numbers: view };
  };
  return {
    kernels,
    floats,
    integers(numbers) {
      const address = place(numbers.length * 4);
      const view = new Int32Array(memory.buffer, address, numbers.length);
      view.set(numbers);
      return { address, numbers: view };
    },
    bytes(numbers) {
      const address = place(numbers.length);
      const view = new Uint8Array(memory.buffer, address, numbers.length);
      view.set(numbers);
      return { address, numbers: view };
    },
    random: (length) => floats(Float32Array.from({ length }, random)),
    isTidy() {
      const all = new Uint8Array(memory.buffer);
      const gaps = [[0, 0], ...handedOut].map((
        [, end],
        i,
      ) => [end!, handedOut[i]?.[0] ?? all.length]);
      return gaps.every(([from, to]) => all.subarray(from, to).every((byte) => byte === 0));
    },
  };
}
