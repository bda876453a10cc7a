/**
 * The most memory that this process has had at once. Without imports by name: the bench's peers,
 * which are no part of the workspace, use it too.
 *
 * @module
 */

/** @returns bytes; where the system does not keep it, what there is just now */
export async function peakMemory(): Promise<number> {
  if (Deno.build.os !== "linux") return Deno.memoryUsage().rss;
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
}
