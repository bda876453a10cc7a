/**
 * A thread that computes for ever, where it can: it counts in the memory that it is given, whether in
 * JavaScript or in WebAssembly.
 *
 * @module
 */
import { interruptible, limitWork } from "../interruptible.ts";

export interface EndlessWork {
  memory: WebAssembly.Memory;
  kind: "JavaScript" | "WebAssembly";
  limitMs: number;
}

// (module (import "m" "m" (memory 1 1 shared)) (func (export "f")
//   (loop (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br 0))))
// deno-fmt-ignore
const COUNTING = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 9, 1, 1, 109, 1, 109, 2, 3, 1, 1, 3, 2, 1, 0,
  7, 5, 1, 1, 102, 0, 0, 10, 22, 1, 20, 0, 3, 64, 65, 0, 65, 0, 40, 2, 0, 65, 1, 106, 54, 2, 0, 12,
  0, 11, 11,
]);

const thread = self as unknown as { onmessage: (message: MessageEvent<EndlessWork>) => void };

thread.onmessage = ({ data: { memory, kind, limitMs } }) => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(COUNTING), {
    m: { m: memory },
  });
  const count = new Int32Array(memory.buffer, 0, 1);
  limitWork(limitMs);
  interruptible(() => {
    if (kind === "WebAssembly") (exports.f as () => void)();
    while (true) count[0]!++;
  });
};
