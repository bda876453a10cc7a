/**
 * One side of a comparison: a process that has loaded what it runs, waits for its turn, and prints what
 * it measured. Its arguments come as JSON. Each line on stdin begins a turn, each line on stdout ends one.
 *
 * @module
 */
// By its path: the peers, which run this too, are no part of the workspace and know no names of it.
import { peakMemory } from "../../shared/bench/peak_memory.ts";

/** What was measured in a turn. */
export interface Turn {
  /** Of all threads together. */
  picturesPerSecond: number;
  /** Milliseconds of each stage, one number a picture. */
  stagesMs: Record<string, number[]>;
  /** Most bytes of memory that the process has had so far. */
  peakMemory: number;
}

/** What the process was started with. */
export function contenderArguments<Arguments>(): Arguments {
  return JSON.parse(Deno.args[0]!);
}

/** The pictures of the comparison, in memory. */
export async function readPictures(folder: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const files = await Array.fromAsync(Deno.readDir(folder));
  const names = files.map(({ name }) => name).sort();
  return await Promise.all(names.map((name) => Deno.readFile(`${folder}/${name}`)));
}

/** Works for a time. @param once does a picture, and says how many ms each stage took */
export async function workFor(
  seconds: number,
  once: (picture: number) => Promise<Record<string, number>>,
): Promise<Omit<Turn, "peakMemory">> {
  const from = performance.now();
  const stagesMs: Record<string, number[]> = {};
  let pictures = 0;
  do {
    for (const [stage, ms] of Object.entries(await once(pictures))) {
      (stagesMs[stage] ??= []).push(ms);
    }
    pictures++;
  } while (performance.now() - from < seconds * 1000);
  return { picturesPerSecond: pictures / (performance.now() - from) * 1000, stagesMs };
}

/** Times stages that follow one another. */
export function stopwatch(): () => number {
  let from = performance.now();
  return () => {
    const ms = performance.now() - from;
    from += ms;
    return ms;
  };
}

/** Warms up, says that it is ready, and takes turns until stdin ends. */
export async function compete(
  work: (seconds: number) => Promise<Omit<Turn, "peakMemory">>,
): Promise<void> {
  await work(WARM_UP_SECONDS);
  console.log(READY);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const line of lines) {
    const turn = await work(Number(line));
    console.log(JSON.stringify({ ...turn, peakMemory: await peakMemory() } satisfies Turn));
  }
}

const WARM_UP_SECONDS = 1;

/** The line with which a contender says that it is loaded and warm. */
export const READY = "ready";
