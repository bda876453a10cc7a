/**
 * A process becomes another program. A child instead would take memory for a parent that only waits,
 * and signals, exit codes and a sudden end would have to be handed from one to the other.
 *
 * @module
 */
import { C_LIBRARY } from "./c_library.ts";

/**
 * Runs Deno anew in place of this process, which keeps its id, environment, streams and folder.
 * Needs `--allow-ffi`.
 *
 * @throws {Error} where the system has no such call
 */
export function becomeDeno(args: string[]): never {
  const library = C_LIBRARY[Deno.build.os];
  if (library === undefined) {
    throw new Error(`Cannot start on ${Deno.build.os}: Linux and macOS are known`);
  }
  const { symbols } = Deno.dlopen(library, {
    execv: { parameters: ["buffer", "buffer"], result: "i32" },
  });
  const program = Deno.execPath();
  const texts = [program, ...args].map((text) => new TextEncoder().encode(`${text}\0`));
  // The list of arguments ends with a null pointer.
  const pointers = new BigUint64Array(texts.length + 1);
  pointers.set(texts.map((text) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(text))));
  symbols.execv(texts[0]!, pointers);
  // Only a failure comes back.
  throw new Error(`Cannot start ${program}: the system refused to run it`);
}
