/**
 * Compares processes that do the same work. All are loaded at the same time and work in turns, so that
 * other programs on the machine slow all of them alike.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import { READY, type Turn } from "./contender.ts";

/** How a contender is started. */
export interface Entry {
  name: string;
  /** Beside this file. Its process has all permissions, as the libraries are used in most programs. */
  script: string;
  arguments: unknown;
}

/** What a contender reached; each number the median of its turns or of its pictures. */
export interface Score {
  name: string;
  picturesPerSecond: number;
  /** Milliseconds a picture. */
  stagesMs: Record<string, number>;
  /** Bytes. */
  peakMemory: number;
}

/** A process that can work in turns. */
export interface Contender extends AsyncDisposable {
  name: string;
  turn(seconds: number): Promise<Turn>;
}

/** Seconds of one turn, at most: long enough for some ten pictures of the slowest. */
const TURN = 5;

/** Lets contenders work in turns until each has worked for `seconds`. @returns their scores, in order */
export async function race(contenders: readonly Contender[], seconds: number): Promise<Score[]> {
  const rounds = Math.ceil(seconds / TURN);
  const turns = new Map<Contender, Turn[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [contender, taken] of turns) taken.push(await contender.turn(seconds / rounds));
  }
  return Array.from(turns, ([{ name }, taken]) => ({
    name,
    picturesPerSecond: median(taken.map((turn) => turn.picturesPerSecond)),
    stagesMs: Object.fromEntries(
      Object.keys(taken[0]!.stagesMs).map((stage) => [
        stage,
        median(taken.flatMap((turn) => turn.stagesMs[stage]!)),
      ]),
    ),
    peakMemory: Math.max(...taken.map((turn) => turn.peakMemory)),
  }));
}

/** Starts a process for each entry, races them, and ends them. */
export async function raceProcesses(entries: readonly Entry[], seconds: number): Promise<Score[]> {
  await using cleanup = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  // One after the other, so that loading one does not slow down another that warms up.
  for (const entry of entries) contenders.push(cleanup.use(await enter(entry)));
  return await race(contenders, seconds);
}

/** Starts a process and waits until it is loaded and warm. @throws {Error} where it ends before that */
export async function enter({ name, script, arguments: given }: Entry): Promise<Contender> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--allow-all",
      "--unstable-detect-cjs",
      new URL(script, import.meta.url).pathname,
      JSON.stringify(given),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const orders = process.stdin.getWriter();
  const reports = linesOf(process.stdout);
  const next = async (): Promise<string> => {
    for (;;) {
      const { done, value } = await reports.next();
      if (done) throw new Error(`Cannot measure ${name}: its process ended`);
      // Libraries print things, too.
      if (value === READY || value.startsWith("{")) return value;
    }
  };
  const end = async () => {
    await orders.close().catch(() => {});
    await process.status;
  };
  try {
    await next();
  } catch (error) {
    await end();
    throw error;
  }
  return {
    name,
    async turn(seconds) {
      await orders.write(new TextEncoder().encode(`${seconds}\n`));
      return JSON.parse(await next());
    },
    [Symbol.asyncDispose]: end,
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
