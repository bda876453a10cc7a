/**
 * Work of a thread that can be broken off.
 *
 * [note: threads that don't end] `Worker.terminate()` only asks: a thread that computes without coming
 * back to its event loop (a loop without end, a picture that takes minutes to decode) is never ended
 * by Deno 2.7, nor by 2.9. Its core stays busy and its memory taken for as long as the process lives.
 * What can end such work is a limit set before it begins, as node:vm has one: it stops WebAssembly
 * as well. Then the thread comes back to its event loop, where it hears that it is to end.
 *
 * @module
 */
import process from "node:process";
import { Script } from "node:vm";

/** How a script, which sees globals only, gets at the work. */
const WORK = Symbol.for("fovea.interruptible");
const script = new Script(`globalThis[Symbol.for("fovea.interruptible")]()`);
const shared = globalThis as { [WORK]?: () => void };

let workLimitMs: number | undefined;
let isLimited = false;

/** Work that was broken off at its limit. What it has left in memory is of no use. */
export class BrokenOffError extends Error {
  override readonly name = "BrokenOffError";
  /** How long the thread itself has computed meanwhile; the rest of the time it was kept waiting. */
  readonly computedMs: number;
  readonly limitMs: number;

  constructor(limitMs: number, computedMs: number) {
    super(`work was broken off after ${limitMs} ms, of which its thread computed ${computedMs} ms`);
    this.limitMs = limitMs;
    this.computedMs = computedMs;
  }
}

/**
 * From now on {@link interruptible} work of this thread is broken off after so many milliseconds; to
 * be set a little longer than anybody waits for the thread, where that somebody ends it then.
 */
export function limitWork(limitMs: number): void {
  workLimitMs = limitMs;
}

/**
 * Does work that may take too long, in about 40 µs more than it takes itself. Where no limit was set
 * the work has none.
 *
 * @param work broken off only while it is synchronous: what it awaits, and does then, has no limit
 * @throws {BrokenOffError} where it was broken off
 */
export function interruptible<T>(work: () => T): T {
  // Work inside of work is broken off together with it.
  if (workLimitMs === undefined || isLimited) return work();
  let result: T;
  shared[WORK] = () => {
    result = work();
  };
  isLimited = true;
  const before = process.threadCpuUsage();
  try {
    script.runInThisContext({ timeout: workLimitMs });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    const { user, system } = process.threadCpuUsage(before);
    throw new BrokenOffError(workLimitMs, (user + system) / 1000);
  } finally {
    isLimited = false;
    delete shared[WORK];
  }
  return result!;
}
